import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  moveAsideScript,
  restoreScript,
  roomScript,
  runRestore,
} from '../../src/postgres/restore-script.js';
import { raw, type Script } from '../../src/shell/index.js';

describe('how a recovery fetches WAL', () => {
  const text = runRestore([
    'pgbackrest',
    '--config=/copy/pgbackrest.conf',
    '--stanza=acme',
    '--type=default',
    'restore',
  ]).render();
  const command =
    'pgbackrest --config=/copy/pgbackrest.conf --stanza=acme --io-timeout=30 archive-get %f "%p"; code=$?; [ $code -le 1 ] || code=255; exit $code';

  it('is by the same configuration as the restore', () => {
    expect(text).toContain(` restore '--recovery-option=restore_command=${command}'`);
  });

  it.each([
    [0, 0, 'there is the file'],
    [1, 1, 'there is no such file: the archive ends here'],
    [82, 255, 'no file in time: the recovery breaks off'],
    [101, 255, 'no connection: the recovery breaks off'],
  ])('turns %d of pgBackRest into %d: %s', (code, expected) => {
    const script = `pgbackrest() { return ${String(code)}; }; ${command}`;
    expect(spawnSync('sh', ['-c', script]).status).toBe(expected);
  });
});

describe('what is there when a restore begins', () => {
  const root = mkdtempSync(join(tmpdir(), 'odoo-prov-restore-'));
  const main = join(root, 'pg/17/main');
  const kept = join(root, 'pg/.odoo-prov-kept');
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** Runs a script in this folder instead of the host's, as whoever runs the test. */
  function run(script: Script): string {
    const text = script
      .render()
      .replaceAll('/var/lib/postgresql', join(root, 'pg'))
      .replaceAll('/var/lib/odoo-prov', join(root, 'state'))
      .replaceAll('-o postgres -g postgres', '')
      .replaceAll('exec setpriv --reuid=postgres --regid=postgres --init-groups', '');
    const fakes = 'systemctl() { :; }; pgbackrest() { :; }';
    const { status, stdout, stderr } = spawnSync('sh', ['-euc', `${fakes}\n${text}`]);
    expect(status, stderr.toString()).toBe(0);
    return stdout.toString().trim();
  }
  const begin = (name: string): string => run(moveAsideScript(17, name, '--latest'));
  const write = (...files: readonly string[]): void => {
    for (const file of files) {
      mkdirSync(join(main, dirname(file)), { recursive: true });
      writeFileSync(join(main, file), 'x');
    }
  };
  const restore = (): string => run(restoreScript(17, ['pgbackrest', '--stanza=acme', 'restore']));

  it('is kept; what a cut restore has fetched is not, until its recovery has ended', () => {
    write('global/pg_control', 'base/1');
    begin('first');
    restore();
    write('base/2');
    begin('second');
    expect(readdirSync(kept)).toEqual(['first']);
    expect(readdirSync(main)).toEqual([]);
    // Once more, now with the whole of it fetched, cut while it replays.
    restore();
    write('global/pg_control', 'recovery.signal');
    begin('third');
    expect(readdirSync(kept)).toEqual(['first']);
    restore();
    write('global/pg_control');
    begin('fourth');
    expect(readdirSync(kept).sort()).toEqual(['first', 'fourth']);
    expect(readdirSync(join(kept, 'first/main')).sort()).toEqual(['base', 'global']);
  });

  it('is kept where somebody has put other data into the place of what was fetched', () => {
    begin('fifth');
    restore();
    renameSync(main, join(root, 'pg/17/aside'));
    write('base/3');
    begin('sixth');
    expect(readdirSync(join(kept, 'sixth/main'))).toEqual(['base']);
  });

  it('counts as room where it is not kept', () => {
    begin('seventh');
    restore();
    writeFileSync(join(main, 'large'), Buffer.alloc(8 * 1024 ** 2));
    const free = 'df() { echo 1000000; }';
    const room = (): string =>
      run(raw(`${free}\n${roomScript(17, 5_000_000).render().replaceAll('mountpoint', 'false')}`));
    expect(room()).toBe('room');
    write('global/pg_control');
    expect(room).toThrow('and the backup needs 5000000 beside the data that is kept');
  });
});
