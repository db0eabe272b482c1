import { describe, expect, it } from 'vitest';
import { synchronousSettings } from '../../../src/postgres/synchronous.js';
import { durabilitySql } from '../../../src/status/durability.js';
import { judge } from '../../../src/status/rules.js';
import { wantedOf } from '../../../src/status/wanted.js';
import type { HostStatus } from '../../../src/status/model.js';
import type { Wanted } from '../../../src/status/wanted.js';
import { testCluster, testHost } from '../../support/site.js';
import { RECORDED } from './recorded.js';
import { db1, front, seen } from './statuses.js';

const NOBODY: Wanted = { synchronous: [], archive: false, databases: [] };
const SYNCHRONOUS: Wanted = { ...NOBODY, synchronous: ['db1', 'Front'] };
const ARCHIVE: Wanted = { ...NOBODY, archive: true };

function changed(text: string, from: string, to: string): string {
  const result = text.replace(from, to);
  if (result === text) throw new Error(`nothing like ${from}`);
  return result;
}

/** The primary, or the standby, that names somebody in synchronous_standby_names. */
function naming(names: string, text: string = RECORDED.streaming.primary): string {
  const value = changed(text, 'Names":""', `Names":${JSON.stringify(names)}`);
  return changed(value, '"sync":"async"', '"sync":"quorum"');
}

const OURS = naming('ANY 1 ("db1", "front")');

function told(wanted: Wanted, ...hosts: readonly HostStatus[]): readonly string[] {
  return judge({ ...seen(...hosts), wanted }).alerts.map(
    (a) => `${a.severity} ${a.id}: ${a.message}; ${a.next}`,
  );
}

const MENDS = 'odoo-prov apply FILE takes it back, or names who has to';

describe('a primary whose commits are to wait for a standby', () => {
  const alone = changed(
    RECORDED.streaming.primary,
    '"synchronous":{"file":null,"line":null}',
    '"synchronous":{"file":"/etc/x/99-me.conf","line":2}',
  );
  it('and wait for nobody', () => {
    expect(told(SYNCHRONOUS, db1(alone))).toEqual([
      `problem postgres.not-synchronous: commits wait for no standby, though the inventory says synchronous: db1 has synchronous_standby_names '' by /etc/x/99-me.conf line 2. The next failover may lose what was acknowledged; ${MENDS}`,
    ]);
  });
  it('and is well where they wait, or the inventory is asynchronous', () => {
    expect(told(SYNCHRONOUS, db1(OURS))).toEqual([]);
    expect(told(NOBODY, db1(alone))).toEqual([]);
  });
  it('and saves alone, audited: told once, as what it is', () => {
    const [one, ...more] = told(SYNCHRONOUS, db1(changed(alone, 'aloneFor":null', 'aloneFor":60')));
    expect(one).toContain('problem postgres.alone:');
    expect(more).toEqual([]);
  });
  it.each([
    ['ANY 1 ("db1", "other")', 'other'],
    ['other', 'other'],
    ['*', '*'],
    ['2 (db1, front, a, b)', 'a and b'],
  ])('and may wait for others: %s', (names, others) => {
    expect(told(SYNCHRONOUS, db1(naming(names)))).toEqual([
      expect.stringContaining(
        `problem postgres.not-synchronous: commits may wait for ${others} alone`,
      ),
    ]);
  });
  it.each(['FRONT', 'FIRST 1 (front)', '"front", db1'])('and names fewer of them: %s', (names) => {
    expect(told(SYNCHRONOUS, db1(naming(names)))).toEqual([]);
  });
  it('is told of a standby that would not wait, as a warning', () => {
    expect(told(SYNCHRONOUS, db1(OURS), front())).toEqual([
      expect.stringMatching(
        /^warning postgres.not-synchronous: commits wait for no standby, once front is primary/,
      ),
    ]);
  });
});

describe('synchronous_commit', () => {
  const server = (value: string): string =>
    changed(
      OURS,
      '"commit":{"value":"on","file":null,"line":null}',
      `"commit":{"value":"${value}","file":"/d/postgresql.auto.conf","line":3}`,
    );
  const role = (value: string, name = 'synchronous_commit'): string =>
    changed(
      OURS,
      '"overrides":[]',
      `"overrides":[{"name":"${name}","value":"${value}","whose":"role odoo"}]`,
    );
  it.each(['off', 'local', 'remote_write'])('that is %s, by whom', (value) => {
    const expected = (how: string): string =>
      `problem postgres.commit: db1 confirms commits before a standby has them, though the inventory says synchronous: synchronous_commit is ${how}. The next failover loses them; ${MENDS}`;
    expect(told(SYNCHRONOUS, db1(server(value)))).toEqual([
      expected(`${value} by /d/postgresql.auto.conf line 3`),
    ]);
    expect(told(SYNCHRONOUS, db1(role(value)))).toEqual([expected(`${value} for role odoo`)]);
    expect(told(NOBODY, db1(role(value)))).toEqual([]);
  });
  it.each(['on', 'TRUE', 'yes', '1', 'remote_apply'])('that is %s waits for one', (value) => {
    expect(told(SYNCHRONOUS, db1(server(value)))).toEqual([]);
    expect(told(SYNCHRONOUS, db1(role(value)))).toEqual([]);
  });
  it('is the only one of those settings that is judged', () => {
    expect(told(SYNCHRONOUS, db1(role('off', 'zero_damaged_pages')))).toEqual([]);
  });
});

describe('an archive', () => {
  const another = (name: string, text: string = RECORDED.streaming.primary): string =>
    changed(
      text,
      '"archive":[]',
      `"archive":[{"name":"${name}","file":"/etc/x/99-me.conf","line":1}]`,
    );
  it('with another command', () => {
    expect(told(ARCHIVE, db1(another('archive_command')))).toEqual([
      `problem postgres.archive-elsewhere: db1 does not archive as odoo-prov has it: archive_command is another one, by /etc/x/99-me.conf line 1. WAL goes nowhere that is known, so no moment from then on can be restored; ${MENDS}; then odoo-prov backup FILE --type full, for what was not archived is missing in the backups of before`,
    ]);
  });
  it('that a library has taken over', () => {
    expect(told(ARCHIVE, db1(another('archive_library')))[0]).toContain(
      'restored; take archive_library out there and reload PostgreSQL;',
    );
  });
  it('that is switched off names the restart', () => {
    expect(told(ARCHIVE, db1(another('archive_mode')))[0]).toContain(' (with --restart-primary:');
  });
  it('on a standby is a warning; as wanted, or where none is wanted, nothing', () => {
    expect(told(ARCHIVE, front(another('archive_command', RECORDED.streaming.standby)))).toContain(
      `warning postgres.archive-elsewhere: front does not archive as odoo-prov has it: archive_command is another one, by /etc/x/99-me.conf line 1. WAL goes nowhere that is known, once front is primary, so no moment from then on can be restored; ${MENDS}`,
    );
    expect(told(ARCHIVE, db1())).toEqual([]);
    expect(told(NOBODY, db1(another('archive_command')))).toEqual([]);
  });
  it('with an empty command is told once', () => {
    const text = changed(another('archive_command'), '"off":[]', '"off":["archive_command empty"]');
    const found = told(ARCHIVE, db1(text));
    expect(found).toEqual([expect.stringContaining('problem postgres.off:')]);
  });
});

describe('replication slots', () => {
  it('that a host lacks for the others of the inventory', () => {
    const wanted = { ...NOBODY, databases: ['db1', 'front', 'db-3'] };
    expect(told(wanted, db1(), front())).toEqual([
      'warning postgres.slot-missing: db1 has no replication slot for db-3: it could not follow db1; odoo-prov apply FILE makes what is missing',
      'warning postgres.slot-missing: front has no replication slot for db1 and db-3: they could not follow front after a move of the primary; odoo-prov apply FILE makes what is missing',
    ]);
  });
});

describe('what is wanted', () => {
  const hosts = [testHost('db1', 1, ['pg-primary']), testHost('db2', 2, ['pg-standby'])];
  const replica = testHost('db3', 3, ['pg-replica']);
  const cluster = testCluster([...hosts, replica]);
  const { postgres } = cluster;
  const replication = { ...postgres.replication, synchronous: 'on' } as const;
  const synchronous = { ...cluster, postgres: { ...postgres, replication } };

  it('comes from the inventory, as the settings do', () => {
    expect(wantedOf(synchronous)).toEqual({
      ...{ synchronous: ['db1', 'db2'], archive: false, databases: ['db1', 'db2', 'db3'] },
    });
    expect(synchronousSettings(synchronous).synchronous_standby_names).toBe('ANY 1 ("db1", "db2")');
    expect(wantedOf(cluster).synchronous).toEqual([]);
    expect(wantedOf({ ...synchronous, hosts: hosts.slice(0, 1) }).synchronous).toEqual([]);
  });
  it('compares the archive with the very command, quoted, and asks nothing where there is none', () => {
    const [first = replica] = hosts;
    expect(durabilitySql(cluster, first)).toContain("'archive', '[]'::json)");
    const backup = { host: 'db3', path: '/b', full: 'Sun', keep: 1 };
    const saved = { ...cluster, postgres: { ...postgres, backup } };
    expect(durabilitySql(saved, first)).toContain(
      ` bash -c '': </dev/tcp/${replica.address}/8432'' && pgbackrest --stanza=`,
    );
  });
});
