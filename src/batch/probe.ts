import { keyOf, type Key, type Observed, type Resource } from '../resource/kind.js';
import { kindOf, type Kinds } from '../plan/diff.js';
import { lines, raw, sh, type Script } from '../shell/index.js';

/** One look at a host: a name and the snippet that prints what there is. */
export interface Snippet {
  readonly name: string;
  readonly script: Script;
}

/** Seconds that one snippet may take: a dead mount or a hung database must not hold up the rest. */
const PROBE_LIMIT = 30;

/** The snippets that look at all the given resources, one a kind. */
export function snippetsFor(
  resources: readonly Resource[],
  kinds: Kinds,
  salt: string,
): readonly Snippet[] {
  return [...byKind(resources)].map(([name, wanted]) => {
    const [first] = wanted;
    if (first === undefined) throw new Error(`no resource of kind ${name}`);
    const script = kindOf(kinds, first).probe(wanted, salt);
    if (script.hasSecrets) throw new Error(`the probe of kind ${name} holds a secret`);
    return { name, script };
  });
}

/**
 * One script that runs every snippet with a time limit and no stdin, and answers in frames: a line
 * `@nonce begin name`, what the snippet printed, a line feed, `@nonce code N`; closed by `@nonce end`.
 * The output is not encoded: two processes less for each snippet, and no output can know the nonce.
 * @param nonce letters and digits that no output can know beforehand
 * @param limit seconds that each snippet may take; one that is ended has the code 124 or 137
 */
export function compileProbe(
  snippets: readonly Snippet[],
  nonce: string,
  limit = PROBE_LIMIT,
): Script {
  const probe = sh`
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
probe() {
  printf '@%s begin %s\n' ${nonce} "$1"
  timeout -k 2 ${limit} sh -s
  printf '\n@%s code %s\n' ${nonce} "$?"
}`;
  const calls = snippets.map(({ name, script }) => {
    const mark = raw(`@${name}@${nonce}`);
    return sh`
probe ${name} <<'${mark}'
snippet() {
${script}
}
snippet </dev/null
${mark}`;
  });
  return lines([probe, ...calls, sh`printf '@%s end\n' ${nonce}`]);
}

/** What one snippet printed. */
export interface Output {
  readonly text: string;
  readonly code: number;
}

/**
 * Reads the frames of {@link compileProbe}.
 * @returns output by snippet name; undefined when the end frame is missing: the answer was cut
 */
export function parseProbe(stdout: string, nonce: string): ReadonlyMap<string, Output> | undefined {
  if (!new RegExp(`^@${nonce} end$`, 'm').test(stdout)) return undefined;
  const frame = new RegExp(`@${nonce} begin (\\S+)\\n([^]*?)\\n@${nonce} code (\\d+)\\n`, 'g');
  return new Map(
    [...stdout.matchAll(frame)].map(([, name = '', text = '', code]) => [
      name,
      { text, code: Number(code) },
    ]),
  );
}

/** What the probe saw of every resource. A kind whose snippet failed is unknown, and why. */
export function observe(
  resources: readonly Resource[],
  outputs: ReadonlyMap<string, Output>,
  kinds: Kinds,
): Map<Key, Observed> {
  const observed = new Map<Key, Observed>();
  for (const [name, wanted] of byKind(resources)) {
    const output = outputs.get(name);
    const [first] = wanted;
    if (output === undefined || first === undefined) continue;
    const states =
      output.code === 0
        ? kindOf(kinds, first).parse(output.text, wanted)
        : new Map<string, Observed>();
    for (const resource of wanted) {
      const state = states.get(resource.id) ?? { unknown: failed(output) };
      observed.set(keyOf(resource), state);
    }
  }
  return observed;
}

function failed(output: Output): string {
  if (output.code === 0) return 'the probe said nothing about it';
  if (output.code === 124 || output.code === 137) {
    return `the probe took longer than ${String(PROBE_LIMIT)} s`;
  }
  return `the probe ended with code ${String(output.code)}`;
}

function byKind(resources: readonly Resource[]): Map<string, Resource[]> {
  const groups = new Map<string, Resource[]>();
  for (const resource of resources) {
    const group = groups.get(resource.kind);
    if (group === undefined) groups.set(resource.kind, [resource]);
    else group.push(resource);
  }
  return groups;
}
