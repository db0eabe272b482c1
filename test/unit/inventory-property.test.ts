import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DATABASE_ROLES, SUPPORTED_ROLES, type RoleName } from '../../src/inventory/cluster.js';
import { linesOf } from '../../src/inventory/diagnostic.js';
import { clusterOf, parseText } from './inventory-text.js';

const full = readFileSync(join(import.meta.dirname, '../../inventory/full.yaml'), 'utf8');

/** Fails if a diagnostic points outside of the text. */
function checkPlaces(text: string): void {
  const inventory = parseText(text);
  const lines = linesOf(text);
  for (const { line, column, length, message } of inventory.ok
    ? inventory.warnings
    : inventory.diagnostics) {
    const width = lines[line - 1]?.length;
    if (width === undefined) throw new Error(`line ${line} is not in the file: ${message}`);
    expect(line).toBeGreaterThanOrEqual(1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(length).toBeGreaterThanOrEqual(1);
    // A thing that is missing at the end of a line is shown one column behind it.
    expect(column + length - 1).toBeLessThanOrEqual(Math.max(1, width + 1));
  }
  if (!inventory.ok) expect(inventory.diagnostics.length).toBeGreaterThan(0);
}

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const once: readonly RoleName[] = ['pgbouncer', 'pg-primary', 'redis'];
/** They need a host each. */
const copies: readonly RoleName[] = ['pg-standby', 'pg-replica'];
const setting = fc.oneof(fc.integer(), fc.boolean(), fc.stringMatching(/^[ -~]*$/));

/** Well-formed inventories: each role on at least one host, those that may be one only on exactly one. */
const wellFormed = fc
  .uniqueArray(label, { minLength: 1, maxLength: 9 })
  .chain((names) =>
    fc.record({
      names: fc.constant(names),
      homes: fc.tuple(...SUPPORTED_ROLES.map(() => fc.nat(names.length - 1))),
      more: fc.array(
        fc.tuple(
          fc.constantFrom<RoleName>('edge', 'app', 'cron', 'gevent'),
          fc.nat(names.length - 1),
        ),
      ),
      weights: fc.tuple(...names.map(() => fc.option(fc.integer({ min: 1, max: 100 })))),
      users: fc.option(fc.integer({ min: 1, max: 100_000 })),
      cluster: fc.option(label),
      sessions: fc.option(fc.constantFrom('redis', 'files')),
      balance: fc.option(fc.constantFrom('sticky', 'round-robin')),
      settings: fc.dictionary(fc.stringMatching(/^x_[a-z_]{1,12}$/), setting),
      become: fc.option(fc.boolean()),
    }),
  )
  .map((given) => {
    const roles = given.names.map(() => new Set<RoleName>());
    SUPPORTED_ROLES.forEach((role, index) => {
      const home = roles[given.homes[index] ?? 0];
      if (copies.includes(role) && [...DATABASE_ROLES].some((other) => home?.has(other))) return;
      home?.add(role);
    });
    for (const [role, home] of given.more) roles[home]?.add(role);
    // A host has at least one role.
    for (const own of roles) if (own.size === 0) own.add('app');
    const hosts = given.names.map((name, index) => [
      name,
      {
        address: `198.51.100.${index + 1}`,
        roles: [...(roles[index] ?? [])],
        ...(given.weights[index] == null ? {} : { weight: given.weights[index] }),
      },
    ]);
    return {
      ...(given.cluster === null ? {} : { cluster: given.cluster }),
      ssh: given.become === null ? null : { become: given.become },
      odoo: {
        ...(given.users === null ? {} : { users: given.users }),
        ...(given.sessions === null ? {} : { sessions: given.sessions }),
        settings: given.settings,
      },
      edge: given.balance === null ? null : { balance: given.balance },
      filestore: { type: 'posix' },
      hosts: Object.fromEntries(hosts) as Record<string, { address: string; roles: RoleName[] }>,
    };
  });

test('any well-formed inventory parses, and keeps what it says', () => {
  fc.assert(
    fc.property(wellFormed, fc.boolean(), (given, flow) => {
      const cluster = clusterOf(stringify(given, { collectionStyle: flow ? 'flow' : 'any' }));
      expect(
        once.map((role) => cluster.hosts.filter((host) => host.roles.includes(role)).length),
      ).toEqual([1, 1, 1]);
      expect(cluster.hosts.map(({ name, address, roles }) => [name, { address, roles }])).toEqual(
        Object.entries(given.hosts).map(([name, { address, roles }]) => [name, { address, roles }]),
      );
      expect(cluster.odoo.settings).toEqual(given.odoo.settings);
      expect(cluster.name).toBe(given.cluster ?? 'acme');
    }),
  );
});

test('no text makes the parser throw, and every place is inside the file', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), checkPlaces));
});

test('no YAML data does either', () => {
  const words = fc.constantFrom('hosts', 'odoo', 'ssh', 'roles', '__proto__', 'settings', 'a');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null), fc.string()),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(words, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(fc.property(tree, (data) => checkPlaces(stringify(data))));
});

test('nor does an inventory with anything cut out, put in or doubled', () => {
  const noise = fc.oneof(
    fc.constantFrom('\t', '\r\n', ': ', '- ', '{', ']', '"', '&a ', '*a', '? ', '| ', '#', '<<: '),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.nat(full.length), fc.nat(30), noise, (at, cut, put) =>
      checkPlaces(full.slice(0, at) + put + full.slice(at + cut)),
    ),
    { numRuns: 150 },
  );
});

test('a map that contains itself is a mistake, not an endless loop', () => {
  checkPlaces('hosts: &h\n  a: *h\n');
  checkPlaces('odoo: &o { settings: *o }\nhosts: *o\n');
  checkPlaces('&top\nodoo: *top\n');
});
