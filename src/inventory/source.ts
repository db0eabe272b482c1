import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type ErrorCode,
  type Pair,
  type YAMLMap,
} from 'yaml';
import type { Diagnostic } from './diagnostic.js';
import { linesOf } from './diagnostic.js';

export type Path = readonly (string | number)[];

/** A mistake at a path of the inventory, before its place in the text is known. */
export interface Mistake {
  readonly path: Path;
  /** Whether the key or the value at the path is meant. */
  readonly at: 'key' | 'value';
  readonly severity?: 'error' | 'warning';
  readonly message: string;
  readonly expected?: string;
}

/** An inventory's text, read as YAML. */
export interface Source {
  /** What it says, as plain data; undefined if it is no YAML. */
  readonly data: unknown;
  /** Syntax errors and duplicate keys. */
  readonly problems: readonly Diagnostic[];
  /** A mistake's place: that of the nearest parent if there is nothing at its path. */
  place(mistake: Mistake): Diagnostic;
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

/** The pairs of each map by their keys: a map of all hosts is not to be searched once per mistake. */
type Pairs = WeakMap<YAMLMap, ReadonlyMap<string, Pair>>;

function pairAt(node: unknown, key: string | number, known: Pairs): Pair | undefined {
  if (!isMap(node)) return undefined;
  let pairs = known.get(node);
  if (pairs === undefined) {
    // The first of duplicate keys is the one that is shown: a map keeps the last of its entries.
    pairs = new Map(
      node.items
        .map((pair): [string, Pair] => [
          String(isScalar(pair.key) ? pair.key.value : pair.key),
          pair,
        ])
        .reverse(),
    );
    known.set(node, pairs);
  }
  return pairs.get(String(key));
}

/** The character range of a key or value, or of the nearest parent that is in the text. */
function rangeOf(
  document: Document,
  path: Path,
  at: 'key' | 'value',
  known: Pairs,
): [number, number] {
  let node: unknown = document.contents;
  let range: [number, number] = [0, 0];
  for (const [index, segment] of path.entries()) {
    const parent = resolved(node, document);
    const pair = pairAt(parent, segment, known);
    const child: unknown =
      pair?.value ?? (isSeq(parent) ? parent.items[Number(segment)] : undefined);
    const key = isNode(pair?.key) ? pair.key.range : undefined;
    const value = isNode(child) ? child.range : undefined;
    const last = index === path.length - 1;
    const empty = value === undefined || value === null || value[0] === value[1];
    // A parent is shown by its key: its value may be a page long.
    const found = key && (!last || at === 'key' || empty) ? key : (value ?? key);
    if (!found) return range;
    range = [found[0], found[1]];
    node = child;
  }
  return range;
}

/** A thing's first line only: that is what a squiggle can be drawn under. */
function placeOf(
  counter: LineCounter,
  lines: readonly string[],
  [start, end]: readonly [number, number],
): { line: number; column: number; length: number } {
  const { line, col } = counter.linePos(start);
  const row = Math.min(Math.max(1, line), lines.length);
  const width = (lines[row - 1] ?? '').length;
  const column = Math.min(Math.max(1, col), width + 1);
  return { line: row, column, length: Math.max(1, Math.min(end - start, width - column + 1)) };
}

/** The first line of the YAML library's message, without the place that it repeats. */
function syntaxMessage(message: string): string {
  const first = linesOf(message)[0] ?? message;
  return first.replace(/ at line \d+, column \d+:?$/, '').replace(/^./, (c) => c.toLowerCase());
}

/** What the library calls by the names of its own insides, for people. */
const SYNTAX: Readonly<Partial<Record<ErrorCode, readonly [message: string, expected: string]>>> = {
  TAB_AS_INDENT: ['a tab in the indentation', 'blanks'],
  MULTIPLE_DOCS: ['a second YAML document starts here', 'one document in a file'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a map may not start on the line of its key',
    'its keys on lines of their own, indented, or all of it in { }',
  ],
};

/** Aliases (`*name`) whose anchor (`&name`) is not above them. */
function lostAliases(document: Document): Alias[] {
  const lost: Alias[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) lost.push(alias);
    },
  });
  return lost;
}

/**
 * Where a key is given that its map has already. The library's own check compares every key with every
 * other: with many hosts that takes minutes.
 */
function duplicateKeys(document: Document): number[] {
  const found: number[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
  });
  return found;
}

function plainData(document: Document): { data: unknown } | { message: string } {
  try {
    return { data: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    // Aliases that multiply without end.
    if (!(error instanceof Error)) throw error;
    return { message: syntaxMessage(error.message) };
  }
}

/**
 * Reads YAML 1.2. Duplicate keys are reported and the rest is still looked at; after any other syntax error
 * it is not, since everything after it would only be a guess.
 *
 * @param file the path as the user gave it
 */
export function readSource(text: string, file: string): Source {
  const counter = new LineCounter();
  const lines = linesOf(text);
  const document: Document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const problem = (
    range: readonly [number, number],
    message: string,
    expected: string,
  ): Diagnostic => ({
    file,
    ...placeOf(counter, lines, range),
    severity: 'error',
    message,
    expected,
  });
  const problems = document.errors.map((error) => {
    const message = `not valid YAML: ${syntaxMessage(error.message)}`;
    return problem(error.pos, ...(SYNTAX[error.code] ?? [message, 'YAML 1.2']));
  });
  for (const start of duplicateKeys(document)) {
    const range = keyRange(text, start);
    problems.push(
      problem(range, `${text.slice(...range)} is given twice`, 'each key once in a map'),
    );
  }
  const lost = lostAliases(document);
  problems.push(
    ...lost.map(({ source, range }) =>
      problem(
        [range?.[0] ?? 0, range?.[1] ?? 0],
        `no anchor &${source} above`,
        `&${source} before it`,
      ),
    ),
  );
  const broken = lost.length > 0 || document.errors.length > 0;
  const plain = broken ? { data: undefined } : plainData(document);
  if ('message' in plain) {
    problems.push(problem([0, 0], `not valid YAML: ${plain.message}`, 'YAML 1.2'));
  }
  const known: Pairs = new WeakMap();
  return {
    data: 'data' in plain ? plain.data : undefined,
    problems,
    place: ({ path, at, severity, message, expected }) => ({
      file,
      ...placeOf(counter, lines, rangeOf(document, path, at, known)),
      severity: severity ?? 'error',
      message,
      ...(expected === undefined ? {} : { expected }),
    }),
  };
}

/** The word that begins at a place. */
function keyRange(text: string, start: number): [number, number] {
  const word = /^[^\s:,{}[\]]+/.exec(text.slice(start, start + 200))?.[0] ?? ' ';
  return [start, start + word.length];
}
