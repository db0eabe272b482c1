import type { Cluster } from './cluster.js';
import { buildCluster, type Place } from './build.js';
import { checkHosts } from './check-hosts.js';
import { checkOdoo } from './check-odoo.js';
import { checkSettings } from './check-settings.js';
import { formatDiagnostics, inOrder, type Diagnostic } from './diagnostic.js';
import { explainIssues } from './explain.js';
import { inventorySchema } from './schema.js';
import { readSource } from './source.js';
import { isRecord, viewOf } from './view.js';

export type Inventory =
  | {
      readonly ok: true;
      readonly cluster: Cluster;
      readonly warnings: readonly Diagnostic[];
      /** The warnings as text; empty if there are none. */
      readonly text: string;
    }
  | {
      readonly ok: false;
      /** Every mistake and warning, in the order of the file. */
      readonly diagnostics: readonly Diagnostic[];
      /** The same for a terminal. */
      readonly text: string;
    };

const SECTIONS = [
  'ssh',
  'odoo',
  'postgres',
  'pgbouncer',
  'redis',
  'edge',
  'filestore',
  'settings',
  'replication',
];

/**
 * Drops sections whose keys are all commented out (`settings:` with nothing below it). No section is deeper
 * than three levels; data that refers to itself is endless.
 */
function withoutEmptySections(data: unknown, path: readonly string[] = []): unknown {
  if (!isRecord(data) || path.length > 2) return data;
  // What is directly below `hosts` and `settings` has names that the user chose.
  const named = path.at(-1) === 'settings' || (path.length === 1 && path[0] === 'hosts');
  return Object.fromEntries(
    Object.entries(data)
      .filter(([key, value]) => named || !(value === null && SECTIONS.includes(key)))
      .map(([key, value]) => [key, withoutEmptySections(value, [...path, key])]),
  );
}

/**
 * Checks an inventory's text and builds the cluster that it describes. Every mistake is found at once. It
 * does no I/O: what it needs from outside comes with the place.
 *
 * @param path the inventory's path as the user gave it, for messages
 */
export function parseInventory(text: string, path: string, place: Place): Inventory {
  const source = readSource(text, path);
  const failed = (diagnostics: readonly Diagnostic[]): Inventory => {
    const all = inOrder(diagnostics);
    return { ok: false, diagnostics: all, text: formatDiagnostics(all, text) };
  };
  if (source.data === undefined) return failed(source.problems);
  if (source.data === null) {
    const message = 'the inventory is empty';
    return failed([source.place({ path: [], at: 'value', message, expected: 'at least hosts' })]);
  }
  const data = withoutEmptySections(source.data);
  const view = viewOf(data);
  const checked = inventorySchema.safeParse(data);
  const mistakes = [
    ...explainIssues(checked.error?.issues ?? [], data),
    ...checkHosts(view),
    ...checkSettings(view),
    ...checkOdoo(view, place),
  ];
  const diagnostics = inOrder([
    ...source.problems,
    ...mistakes.map((mistake) => source.place(mistake)),
  ]);
  if (checked.data === undefined || diagnostics.some(({ severity }) => severity === 'error')) {
    return failed(diagnostics);
  }
  const cluster = buildCluster(checked.data, place);
  const warnings = diagnostics.length === 0 ? '' : formatDiagnostics(diagnostics, text);
  return { ok: true, cluster, warnings: diagnostics, text: warnings };
}
