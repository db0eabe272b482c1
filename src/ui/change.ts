import { keyOf, type Change, type Difference, type Value } from '../resource/kind.js';

/** Characters of a value that are shown before it is cut. */
const LONGEST_VALUE = 40;
/** The same of a list of what must not be there, and of what a health check found: each of it is a thing to know. */
const LONGEST_FOUND = 400;

/** One change on one line: `file:/etc/x mode 0640 → 0644, owner root → odoo`. */
export function describeChange(change: Change): string {
  const key = keyOf(change.resource);
  if (change.confirm === true) return `${key} asked again`;
  return `${key} ${change.differences.map(describeDifference).join(', ')}`;
}

/** `mode 0640 → 0644`; a digest only names its field, for its digits say nothing. */
export function describeDifference({ field, have, want }: Difference): string {
  // Restarts and reloads are compared as states; said is what happens, and why.
  if (field === 'restart' || field === 'reload') return workOf(field, have, want);
  if (field === 'daemonReload') return 'daemon-reload';
  if (want === 'known' && typeof have === 'string' && have.startsWith('unknown: ')) {
    return `cannot be looked at yet (${have.slice('unknown: '.length)})`;
  }
  if (field === 'state') return `${show(have)} → ${show(want)}`;
  if (isDigest(want) && (isDigest(have) || have === 'absent')) return field;
  const whole = want === 'none' || field === 'result';
  return `${field} ${show(have, whole ? LONGEST_FOUND : LONGEST_VALUE)} → ${show(want)}`;
}

/** `restart for file:/etc/x`: the reason is on the side that is not `done`. */
function workOf(work: string, have: Value, want: Value): string {
  const reason = String(want === 'done' ? have : want);
  return reason === 'absent' ? work : `${work} ${show(reason.replace(/^due /, ''))}`;
}

/** How many changes of each kind, most first: `62 file, 12 package, 8 unit`. */
export function countByKind(changes: readonly Change[]): string {
  const counts = new Map<string, number>();
  for (const { resource } of changes) {
    counts.set(resource.kind, (counts.get(resource.kind) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${String(count)} ${kind}`)
    .join(', ');
}

/** The changes that count: not the health checks that are only asked again. */
export function realChanges(changes: readonly Change[]): readonly Change[] {
  return changes.filter((change) => change.confirm !== true);
}

function isDigest(value: Value): boolean {
  return typeof value === 'string' && /^[0-9a-f]{32,128}$/.test(value);
}

function show(value: Value, longest = LONGEST_VALUE): string {
  const text = String(value).replaceAll('\n', '⏎');
  if (text === '') return '(empty)';
  if (text.length <= longest) return text;
  const half = Math.floor((longest - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}
