import { describe, expect, it } from 'vitest';
import { contentOf, postgresSettings } from '../../../src/resource/postgres-settings-resource.js';
import { postgresSettingsKind } from '../../../src/resource/postgres-settings.js';

describe('what somebody wrote into the settings file', () => {
  const resource = postgresSettings({
    version: 17,
    settings: { work_mem: '12MB', random_page_cost: 1.1, jit: false },
  });
  const live = (workMem: string): readonly (readonly string[])[] => [
    ['s', 'work_mem', workMem, 'kB', 'integer', 'user', 'f', `${workMem}kB`, workMem, ''],
    ['s', 'random_page_cost', '1.1', '', 'real', 'user', 'f', '1.1', '1.1', ''],
    ['s', 'jit', 'off', '', 'bool', 'user', 'f', 'off', 'off', ''],
  ];
  const inFile = (rows: readonly (readonly string[])[], workMem = '12288'): unknown => {
    const text = [...live(workMem), ...rows].map((row) => row.join('\x1f')).join('\n');
    const output = `include 17/main\nfile 17/main ${'0'.repeat(64)} postgres:postgres 644\nserver\nup\n${text}\n`;
    const state = postgresSettingsKind.parse(output, [resource]).get('17/main');
    return typeof state === 'object' && 'in_file' in state ? state['in_file'] : state;
  };

  it('is told setting by setting, before the server reads it', () => {
    expect(
      inFile([
        ['f', 'work_mem', '77MB', 'f'],
        ['f', 'JIT', 'off', 'f'],
        ['f', 'enable_seqscan', 'off', 'f'],
      ]),
    ).toBe('work_mem 77MB, random_page_cost missing, enable_seqscan off');
  });

  it('is told once: what is in effect is a difference of the setting itself', () => {
    const rows = [
      ['f', 'work_mem', '77MB', 'f'],
      ['f', 'random_page_cost', '1.1', 'f'],
      ['f', 'jit', 'off', 'f'],
    ];
    expect(inFile(rows, '78848')).toBe('none');
  });

  it('is told after that too, where nobody wants such a setting', () => {
    expect(inFile([['f', 'enable_seqscan', 'off', 't']])).toBe('enable_seqscan off');
    expect(inFile([])).toBe('none');
  });
});

describe('what a file of the operator says over ours', () => {
  const settings = { fsync: true, work_mem: '12MB', max_connections: 100 };
  const resource = postgresSettings({ version: 17, settings });
  const file = '/etc/postgresql/17/main/conf.d/99-mine.conf';
  const look = (fsync: string, ...others: readonly (readonly string[])[]) => {
    const rows = [
      ['s', 'fsync', fsync, '', 'bool', 'sighup', 'f', fsync, fsync, ''],
      ['s', 'work_mem', '12288', 'kB', 'integer', 'user', 'f', '12MB', '12288', ''],
      ['s', 'max_connections', '100', '', 'integer', 'postmaster', 't', '100', '100', ''],
      ...others.map((row) => (row[0] === 'e' ? row : ['v', row[0], row[1], file, row[2]])),
    ];
    const text = rows.map((row) => row.join('\x1f')).join('\n');
    const output = `include 17/main\nfile 17/main ${'0'.repeat(64)} postgres:postgres 644\nserver\nup\n${text}\n`;
    const have = postgresSettingsKind.parse(output, [resource]).get('17/main');
    if (typeof have !== 'object') throw new Error(`no state: ${String(have)}`);
    return { ...have } as Readonly<Record<string, unknown>>;
  };
  const remedy = (have: object, ...fields: readonly string[]) =>
    postgresSettingsKind.remedy?.({
      ...{
        resource,
        have: have as Record<string, string>,
        want: postgresSettingsKind.want(resource, ''),
      },
      differences: fields.map((field) => ({ field, have: 'this', want: 'that' })),
    });

  it('is named with file and line, and what to do with it', () => {
    const have = look('off', ['fsync', 'off', '2']);
    expect(have['fsync']).toBe('off (conf.d/99-mine.conf:2)');
    expect(remedy(have, 'fsync')).toContain(
      'In /etc/postgresql/17/main, take out fsync in conf.d/99-mine.conf:2',
    );
    // What else differs is ours to change first.
    expect(remedy(have, 'fsync', 'mode')).toBeUndefined();
  });

  it('is named before the server reads it, and nothing is restarted for it', () => {
    const have = look('on', ['FSYNC', 'off', '2'], ['max_connections', '300', '7']);
    expect(have).toMatchObject({
      fsync: 'off (conf.d/99-mine.conf:2)',
      max_connections: '300 (conf.d/99-mine.conf:7)',
      pending_restart: 'none',
      restart: 'done',
    });
  });

  it('is named where PostgreSQL does not understand it, and nothing is changed before that is mended', () => {
    const have = look('on', ['e', '', 'syntax error', file, '2']);
    expect(have['errors']).toBe('syntax error (conf.d/99-mine.conf:2)');
    expect(remedy(have, 'errors', 'fsync')).toContain('mend conf.d/99-mine.conf:2');
    const own = '/etc/postgresql/17/main/conf.d/50-odoo-prov.conf';
    const ours = look('on', ['e', 'fsync', 'invalid value', own, '4']);
    expect(ours['errors']).toBe('fsync invalid value (conf.d/50-odoo-prov.conf:4)');
    expect(remedy(ours, 'errors')).toBeUndefined();
  });

  it('is no difference where it means the same', () => {
    expect(look('on', ['work_mem', '12288kB', '1'])).toMatchObject({
      work_mem: '12MB',
      beyond: '',
    });
    expect(remedy(look('off'), 'fsync')).toBeUndefined();
  });
});

describe('what stands in postgresql.auto.conf', () => {
  const settings = { fsync: true, work_mem: '12MB', max_connections: 100 };
  const resource = postgresSettings({ version: 17, settings });
  const look = (...rows: readonly (readonly string[])[]): Readonly<Record<string, unknown>> => {
    const text = rows.map((row) => row.join('\x1f')).join('\n');
    const output = `include 17/main\nfile 17/main ${'0'.repeat(64)} postgres:postgres 644\nserver\nup\n${text}\n`;
    const have = postgresSettingsKind.parse(output, [resource]).get('17/main');
    if (typeof have !== 'object') throw new Error(`no state: ${String(have)}`);
    return { ...have };
  };
  const fsync = (value: string, source = 'ours') =>
    ['s', 'fsync', value, '', 'bool', 'sighup', 'f', value, value, source] as const;
  const workMem = ['s', 'work_mem', '12288', 'kB', 'integer', 'user', 'f', '12MB', '12288', 'ours'];
  const connections = (pending: string) =>
    [
      's',
      'max_connections',
      '100',
      '',
      'integer',
      'postmaster',
      pending,
      '100',
      '100',
      'ours',
    ] as const;

  it('is drift before the server reads it, and nothing is restarted for it', () => {
    const have = look(
      ...[fsync('on'), workMem, connections('f')],
      ...[
        ['a', 'fsync', 'off'],
        ['a', 'max_connections', '140'],
        ['a', 'synchronous_standby_names', ''],
      ],
    );
    expect(have).toMatchObject({
      ...{ fsync: 'on', max_connections: '100', restart: 'done' },
      altered: "fsync off, max_connections 140, synchronous_standby_names ''",
    });
  });

  it('is drift where it says what is wanted, too: it is over what the next apply writes', () => {
    expect(
      look(fsync('on', 'auto'), workMem, connections('f'), ['a', 'fsync', 'on']),
    ).toMatchObject({ fsync: 'on', altered: 'fsync on' });
  });

  it('is told without the password that somebody put into a connection', () => {
    const connection = (text: string) =>
      JSON.stringify(look(fsync('on'), workMem, connections('f'), ['a', 'primary_conninfo', text]));
    for (const text of [
      'host=db1 password=hunter2 user=r',
      "host=db1 password = 'hun\\'ter2 x' user=r",
      'host=db1 sslpassword=hunter2 user=r passfile=/p',
      'postgresql://r:hunter2@db1/postgres',
    ]) {
      expect(connection(text)).toMatch(/primary_conninfo .*<redacted>/);
      expect(connection(text)).not.toMatch(/hun|ter2/);
    }
  });

  it("is told once where it is in effect: as the setting's own difference", () => {
    expect(
      look(fsync('off', 'auto'), workMem, connections('f'), ['a', 'fsync', 'off']),
    ).toMatchObject({ fsync: 'off', altered: 'none' });
  });

  it('waits for no restart where it was read and waits for one', () => {
    const prepared = ['max_prepared_transactions', '0', '', 'integer', 'postmaster', 't', '0', '0'];
    const have = look(
      ...[fsync('on'), workMem, connections('t'), ['s', ...prepared, '']],
      ...[
        ['a', 'max_connections', '140'],
        ['a', 'max_prepared_transactions', '5'],
      ],
    );
    expect(have).toMatchObject({
      pending_restart: 'max_connections, max_prepared_transactions',
      altered: 'max_connections 140, max_prepared_transactions 5',
      restart: 'done',
    });
    // In effect, it goes by a restart only.
    expect(
      look(
        fsync('on'),
        workMem,
        connections('f'),
        ['s', ...prepared, 'auto'],
        [...['a', 'max_prepared_transactions', '5']],
      ),
    ).toMatchObject({ restart: 'due for max_prepared_transactions' });
  });
});

describe('what ALTER SYSTEM said to a server that is stopped', () => {
  const resource = postgresSettings({ version: 17, settings: { fsync: true } });
  const look = (...lines: readonly string[]) => {
    const file = `include 17/main\nfile 17/main ${contentOf(resource.settings)} postgres:postgres 644`;
    const output = [file, ...lines, 'server', 'down'].join('\n');
    return postgresSettingsKind.parse(output, [resource]).get('17/main');
  };

  it('differs before its start takes it in, and is no restart', () => {
    const have = look("altered 17/main fsync = 'off'", "altered 17/main search_path = 'a, ''b'''");
    expect(have).toMatchObject({ altered: "fsync off, search_path a, 'b'", restart: 'done' });
    expect(look()).toEqual(expect.objectContaining(postgresSettingsKind.want(resource, '')));
  });

  it('shows no password', () => {
    const have = look("altered 17/main primary_conninfo = 'user=a password=hidden host=b'");
    expect(have).toMatchObject({
      altered: 'primary_conninfo user=a password=<redacted> host=b',
    });
  });
});
