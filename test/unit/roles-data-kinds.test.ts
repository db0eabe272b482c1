import { describe, expect, it } from 'vitest';
import { postgresClusterKind } from '../../src/resource/postgres-cluster.js';
import { postgresDatabaseKind } from '../../src/resource/postgres-database.js';
import { postgresRoleKind } from '../../src/resource/postgres-role.js';
import { scramVerifier, verifierWithSalt } from '../../src/resource/postgres-scram.js';
import { postgresSettingsKind } from '../../src/resource/postgres-settings.js';
import { postgresSettings } from '../../src/resource/postgres-settings-resource.js';
import { identifier, literal, parseSql } from '../../src/resource/postgres-sql.js';
import { meansTheSame, settingsFile } from '../../src/resource/postgres-values.js';
import { postgresCluster, postgresDatabase, postgresRole } from '../../src/resource/index.js';
import { Secret } from '../../src/shell/index.js';

describe('a SCRAM verifier', () => {
  it('is the one of RFC 7677 for its example', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(verifierWithSalt('pencil', salt).reveal()).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });

  it('is the same every time, another one for another role or password, and never shown', () => {
    const of = (role: string, password: string): string =>
      scramVerifier(role, new Secret(password)).reveal();
    expect(of('odoo', 'one')).toBe(of('odoo', 'one'));
    expect(new Set([of('odoo', 'one'), of('odoo', 'two'), of('other', 'one')]).size).toBe(3);
    expect(String(scramVerifier('odoo', new Secret('one')))).not.toContain('SCRAM');
    expect(() => of('odoo', 'pässword')).toThrow('printable ASCII');
  });
});

describe('values of settings', () => {
  it.each([
    ['2GB', '262144', '8kB', 'integer', true],
    ['64MB', '65536', 'kB', 'integer', true],
    ['64MB', '65535', 'kB', 'integer', false],
    ['4GB', '4096', 'MB', 'integer', true],
    ['30s', '30000', 'ms', 'integer', true],
    ['1d', '1440', 'min', 'integer', true],
    ['-1', '-1', 'kB', 'integer', true],
    ['0.9', '0.9', '', 'real', true],
    ['1', '0.9', '', 'real', false],
    ['yes', 'on', '', 'bool', true],
    ['off', 'on', '', 'bool', false],
    ['Replica', 'replica', '', 'enum', true],
    ['a', 'b', '', 'string', false],
    ['64XB', '64', 'kB', 'integer', false],
  ])('%s means %s × %s (%s): %s', (wanted, setting, unit, type, same) => {
    expect(meansTheSame(wanted, { setting, unit, type })).toBe(same);
  });

  it('are written so that PostgreSQL reads what was meant', () => {
    expect(settingsFile({ jit: false, log_line_prefix: "it's %m\\" })).toContain(
      "jit = 'off'\nlog_line_prefix = 'it''s %m\\\\'\n",
    );
    expect(() => settingsFile({ 'port = 1\nssl': 'off' })).toThrow('is no name');
  });
});

describe('SQL', () => {
  it('is quoted', () => {
    expect(literal("o'd\\oo")).toBe("'o''d\\oo'");
    expect(identifier('o"doo')).toBe('"o""doo"');
    expect(() => identifier('')).toThrow();
  });

  it('tells a stopped server from one that never ran and one that does not answer', () => {
    expect(parseSql('absent')).toEqual({ server: 'absent' });
    expect(parseSql('down')).toEqual({ server: 'down' });
    expect(parseSql('failed\nFATAL: no')).toEqual({ server: 'failed', why: 'FATAL: no' });
    expect(parseSql('')).toEqual({ server: 'failed', why: 'psql said nothing' });
    expect(parseSql('up\na\x1fb\n')).toEqual({ server: 'up', rows: [['a', 'b']] });
  });
});

describe('a role of PostgreSQL', () => {
  const role = postgresRole({ name: 'odoo', password: new Secret('plain-password') });

  it('has no secret in its probe, and only hidden ones in its apply', () => {
    expect(postgresRoleKind.probe([role], 'salt').hasSecrets).toBe(false);
    const want = postgresRoleKind.want(role, 'salt');
    const apply = postgresRoleKind.apply({
      resource: role,
      have: 'absent',
      want,
      differences: [],
    });
    expect(apply.hasSecrets).toBe(true);
    expect(String(apply)).not.toMatch(/plain-password|SCRAM/);
    expect(apply.render()).not.toContain('plain-password');
  });

  it('has a password that never expires', () => {
    const row = (until: string): string =>
      ['odoo', 't', 'f', 'f', 'f', 'f', 'f', 'hash', '', '-1', until, ''].join('\x1f');
    const state = (until: string): unknown =>
      postgresRoleKind.parse(`up\n${row(until)}\n`, [role]).get('odoo');
    expect(state('2020-01-01 00:00:00 UTC')).toMatchObject({
      connection_limit: -1,
      valid_until: '2020-01-01 00:00:00 UTC',
      settings: '',
    });
    expect(state('infinity')).toMatchObject({ valid_until: 'infinity' });
    expect(postgresRoleKind.want(role, 'salt')).toMatchObject({ valid_until: 'infinity' });
  });

  it('is compared by a salted hash', () => {
    const one = postgresRoleKind.want(role, 'one');
    expect(one).not.toEqual(postgresRoleKind.want(role, 'two'));
    expect(JSON.stringify(one)).not.toContain('SCRAM');
  });
});

describe('settings that are live', () => {
  const resource = postgresSettings({ version: 17, settings: { work_mem: '8MB', jit: 'off' } });
  const row = (...columns: string[]): string => columns.join('\x1f');
  const parse = (rows: readonly string[]): unknown =>
    postgresSettingsKind.parse(`server\nup\n${rows.join('\n')}`, [resource]).get('17/main');

  it('are fields of their own, with the file and what went wrong', () => {
    const state = parse([
      row('s', 'work_mem', '4096', 'kB', 'integer', 'user', 'f', '4MB', '4096'),
      row('s', 'jit', 'off', '', 'bool', 'user', 'f', 'off', 'off'),
      row('s', 'shared_buffers', '1', '8kB', 'integer', 'postmaster', 't', '8kB', '1'),
      row('e', 'nonesuch', 'unrecognized configuration parameter', '/etc/theirs.conf', '3'),
    ]);
    expect(state).toEqual({
      work_mem: '4MB',
      jit: 'off',
      // Somebody else's: what it would go back to is not known, what it is now is.
      shared_buffers: '8kB',
      file: 'absent',
      content: 'absent',
      mode: 'postgres:postgres 644',
      pending_restart: 'shared_buffers',
      errors: 'nonesuch unrecognized configuration parameter (/etc/theirs.conf:3)',
      broken: '/etc/theirs.conf:3',
      conf_d: 'not read by postgresql.conf',
      altered: 'none',
      in_file: 'none',
      replay: 'not held up',
      beyond: '',
      restart: 'due for shared_buffers',
    });
  });
});

describe('settings that somebody put over ours', () => {
  const resource = postgresSettings({ version: 17, settings: { work_mem: '8MB' } });
  const row = (...columns: string[]): string => columns.join('\x1f');

  it('are named whatever they are, and taken back', () => {
    const answer = [
      row('s', 'work_mem', '8192', 'kB', 'integer', 'user', 'f', '8MB', '8192', ''),
      row('s', 'zero_damaged_pages', 'on', '', 'bool', 'superuser', 'f', 'on', 'on', 'auto'),
      row(
        's',
        'autovacuum_freeze_max_age',
        '9',
        '',
        'integer',
        'postmaster',
        'f',
        '9',
        '9',
        'auto',
      ),
      row('o', 'synchronous_commit', 'role odoo in database acme', 'off'),
    ].join('\n');
    const state = postgresSettingsKind.parse(`server\nup\n${answer}`, [resource]).get('17/main');
    expect(state).toMatchObject({
      work_mem: '8MB',
      altered:
        'zero_damaged_pages on, autovacuum_freeze_max_age 9, synchronous_commit off of role odoo in database acme',
      // It goes with a restart only.
      autovacuum_freeze_max_age: '9',
      restart: 'due for autovacuum_freeze_max_age',
    });
  });
});

describe('making a database', () => {
  const cluster = postgresCluster({ version: 17 });
  const database = postgresDatabase({ name: 'acme', owner: 'odoo' });

  it('is a hazard where nothing is, and only there', () => {
    const change = { want: 'absent', differences: [] } as const;
    const hazard = postgresClusterKind.hazard?.({ ...change, resource: cluster, have: 'absent' });
    expect(hazard?.type).toBe('creates-database');
    const there = { initialised: true, configured: false };
    expect(
      postgresClusterKind.hazard?.({ ...change, resource: cluster, have: there }),
    ).toBeUndefined();
    expect(
      postgresDatabaseKind.hazard?.({ ...change, resource: database, have: 'absent' }),
    ).toEqual({ type: 'creates-database', what: 'the database acme' });
  });

  it('lets its owner write, whoever says that its sessions begin read only', () => {
    const row = ['acme', 'odoo', 'UTF8', 'C', '-1', 'yes'];
    const state = (readOnly: string): unknown =>
      postgresDatabaseKind
        .parse(`up\n${[...row, readOnly].join('\x1f')}\n`, [database])
        .get('acme');
    const want = postgresDatabaseKind.want(database, '');
    expect(state('none')).toEqual(want);
    expect(state('role odoo')).toEqual({ ...Object(want), read_only_by: 'role odoo' });
  });

  it('sees data whose configuration is lost, and data that is none', () => {
    const parse = (output: string): unknown =>
      postgresClusterKind.parse(output, [cluster]).get('17/main');
    expect(parse('17/main absent')).toBe('absent');
    expect(parse('17/main foreign')).toEqual({ initialised: false });
    expect(parse('17/main data no none 1 42')).toEqual({
      initialised: true,
      configured: false,
      start: 'none',
      checksums: true,
      identifier: '42',
      standby: false,
    });
    expect(parse('17/main data yes auto 0 42')).toMatchObject({ checksums: false });
  });
});
