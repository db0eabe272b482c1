import type { z } from 'zod';
import type { Mistake, Path } from './source.js';
import { own } from './own.js';
import { inventoryJsonSchema } from './json-schema.js';
import { unsupported } from './values.js';
import { didYouMean, nearest, oneOf, show, splitWords } from './words.js';

type Issue = z.core.$ZodIssue;

/** Keys that the format knows and this version does not support; `*` is any host. */
const LATER_KEYS: Readonly<Record<string, string>> = {
  'edge.vip': 'no vip: let DNS name every edge',
  'redis.sentinel': 'one Redis host',
  'hosts.*.pool': 'one pool of app hosts',
};

/** Keys that people bring from elsewhere, and how the thing is said here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'odoo.workers': 'users, which sizes workers; settings: { workers: … } overrides it',
  'hosts.*.ip': 'address',
  'hosts.*.host': 'address',
  'hosts.*.ansible_host': 'address',
  'hosts.*.role': 'roles, a list',
  'hosts.*.port': 'ssh: { port: … }',
  'hosts.*.user': 'ssh: { user: … }',
  'hosts.*.ram': 'memory',
  'hosts.*.cpus': 'cores',
};

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** The keys that the schema allows in the map at a path. */
function keysAt(path: Path): readonly string[] {
  let nodes: readonly SchemaNode[] = [inventoryJsonSchema()];
  for (const segment of path) {
    nodes = nodes
      .flatMap((node) => [node, ...(node.anyOf ?? [])])
      .flatMap((node) => {
        const rest = node.additionalProperties;
        const child =
          own(node.properties, String(segment)) ?? (typeof rest === 'object' ? rest : node.items);
        return child === undefined ? [] : [child];
      });
  }
  return nodes
    .flatMap((node) => [node, ...(node.anyOf ?? [])])
    .flatMap((node) => Object.keys(node.properties ?? {}));
}

/** A key's path with `*` for the host's name. */
function patternOf(path: Path, key: string): string {
  return [...path, key]
    .map((part, index) => (path[0] === 'hosts' && index === 1 ? '*' : part))
    .join('.');
}

/** A key that its map does not have, with what was most likely meant. */
export function unknownKey(path: Path, key: string): Mistake {
  const pattern = patternOf(path, key);
  const later = own(LATER_KEYS, pattern);
  const at = { path: [...path, key], at: 'key' } as const;
  if (later !== undefined) return { ...at, message: unsupported(`"${key}"`), expected: later };
  const known = keysAt(path);
  const elsewhere = own(ELSEWHERE, pattern);
  const hint = elsewhere === undefined ? didYouMean(key, known) : '';
  return { ...at, message: `unknown key ${show(key)}${hint}`, expected: elsewhere ?? oneOf(known) };
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    data,
  );
}

/** The branch of a union that was meant: the one that a map was written for. */
function meantBranch(issue: Issue & { code: 'invalid_union' }): readonly Issue[] | undefined {
  return issue.errors.find((branch) =>
    branch.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
}

function explain(issue: Issue, data: unknown, above: Path): Mistake[] {
  const path = [...above, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_key') {
    const text = issue.issues[0]?.message ?? issue.message;
    return [{ path, at: 'key', ...splitWords(text) }];
  }
  if (issue.code === 'invalid_union') {
    const branch = meantBranch(issue);
    if (branch !== undefined) return branch.flatMap((inner) => explain(inner, data, path));
  }
  const { message, expected } = splitWords(issue.message);
  const value = valueAt(data, path);
  if (value === undefined || value === null) {
    const name = String(path.at(-1));
    const missing = value === undefined ? `missing key "${name}"` : `"${name}" has no value`;
    return [{ path, at: 'key', message: missing, ...(expected === undefined ? {} : { expected }) }];
  }
  return [{ path, at: 'value', message, ...(expected === undefined ? {} : { expected }) }];
}

/** The key that an unknown one was most likely meant to be. */
export function meantKey(path: Path, key: string): string | undefined {
  return /^\w+/.exec(own(ELSEWHERE, patternOf(path, key)) ?? '')?.[0] ?? nearest(key, keysAt(path));
}

/** What zod found, in the words and at the places of the inventory. */
export function explainIssues(issues: readonly Issue[], data: unknown): Mistake[] {
  // A key that is mistyped is not missing as well.
  const mistyped = new Set(
    issues.flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') return [];
      const path = issue.path as Path;
      return issue.keys.flatMap((key) => {
        const meant = meantKey(path, key);
        return meant === undefined ? [] : [[...path, meant].join('\n')];
      });
    }),
  );
  return issues
    .filter(({ path }) => !mistyped.has(path.join('\n')))
    .flatMap((issue) => explain(issue, data, []));
}
