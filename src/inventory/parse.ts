import type { z } from 'zod';
import type { Cluster } from './cluster.js';
import { buildCluster, type Place } from './build.js';
import { checkBackup } from './check-backup.js';
import { checkHosts } from './check-hosts.js';
import { checkOdoo } from './check-odoo.js';
import { checkPgbouncer } from './check-pgbouncer.js';
import { checkRolesGiven } from './check-roles.js';
import { checkSettings } from './check-settings.js';
import { formatDiagnostics, inOrder, type Diagnostic } from './diagnostic.js';
import { explainIssues, meantKey, unknownKey } from './explain.js';
import { host as hostSchema } from './schema-hosts.js';
import { inventorySchema } from './schema.js';
import { readSource, type Mistake } from './source.js';
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

type Issue = z.core.$ZodIssue;

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
 * The data with misspelt top-level keys as they were most likely meant, so that what is below them is looked
 * at too.
 *
 * @returns also what each was renamed from, by its new name, and the mistakes that this is
 */
function withMeantKeys(data: unknown): {
  readonly data: unknown;
  readonly given: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
} {
  if (!isRecord(data)) return { data, given: new Map(), mistakes: [] };
  const known = Object.keys(inventorySchema.shape);
  const given = new Map<string, string>();
  for (const key of Object.keys(data).filter((name) => !known.includes(name))) {
    const meant = meantKey([], key);
    // What is there already is not meant a second time.
    if (meant !== undefined && !Object.hasOwn(data, meant) && !given.has(meant)) {
      given.set(meant, key);
    }
  }
  const meantBy = new Map([...given].map(([meant, key]) => [key, meant]));
  return {
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [meantBy.get(key) ?? key, value]),
    ),
    given,
    mistakes: [...given.values()].map((key) => unknownKey([], key)),
  };
}

/** A mistake at the path that is in the text. */
function asGiven(mistake: Mistake, given: ReadonlyMap<string, string>): Mistake {
  const [first, ...rest] = mistake.path;
  const key = given.get(String(first));
  return key === undefined ? mistake : { ...mistake, path: [key, ...rest] };
}

/** What is wrong in hosts with a bad name: zod does not look below a key that it refuses. */
function belowBadNames(issues: readonly Issue[], data: unknown): Issue[] {
  const hosts = isRecord(data) && isRecord(data['hosts']) ? data['hosts'] : {};
  return issues.flatMap(({ code, path }) => {
    const [section, name, ...rest] = path;
    if (code !== 'invalid_key' || section !== 'hosts' || rest.length > 0) return [];
    const issuesBelow = hostSchema.safeParse(hosts[String(name)]).error?.issues ?? [];
    return issuesBelow.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
  });
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
  const { data: meant, given, mistakes: misspelt } = withMeantKeys(source.data);
  const data = withoutEmptySections(meant);
  const view = viewOf(data);
  const checked = inventorySchema.safeParse(data);
  const issues = checked.error?.issues ?? [];
  const mistakes = [
    ...explainIssues([...issues, ...belowBadNames(issues, data)], data),
    ...checkHosts(view),
    ...checkRolesGiven(view),
    ...checkBackup(view, place),
    ...checkSettings(view),
    ...checkPgbouncer(view),
    ...checkOdoo(view, place),
  ];
  const diagnostics = inOrder([
    ...source.problems,
    ...misspelt.map((mistake) => source.place(mistake)),
    ...mistakes.map((mistake) => source.place(asGiven(mistake, given))),
  ]);
  if (checked.data === undefined || diagnostics.some(({ severity }) => severity === 'error')) {
    return failed(diagnostics);
  }
  const cluster = buildCluster(checked.data, place);
  const warnings = diagnostics.length === 0 ? '' : formatDiagnostics(diagnostics, text);
  return { ok: true, cluster, warnings: diagnostics, text: warnings };
}
