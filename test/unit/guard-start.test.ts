import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/template/package-files.js';

/*
 * What the guard says to a server that is to start, with peers that answer what a test says. GNU timeout is the hosts'.
 */

const WAITS = 'waits: no other database host answers';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odoo-prov-guard-'));
  for (const name of ['bin', 'data/global', 'data/pg_wal', 'lib', 'run']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const program = readFileSync(join(PACKAGE_ROOT, 'templates/postgres/guard.sh'), 'utf8')
    .replaceAll('/etc/odoo-prov/postgres-guard.conf', join(folder, 'conf'))
    .replaceAll('/var/lib/odoo-prov', join(folder, 'lib'))
    .replaceAll('/run/odoo-prov', join(folder, 'run'))
    .replaceAll('/usr/lib/odoo-prov', join(folder, 'bin'));
  executable('guard', program);
  executable('bin/sleep', '#!/bin/sh');
  executable(
    'bin/pg_controldata',
    `#!/bin/sh
echo 'Database system identifier:           7'
echo "Latest checkpoint's TimeLineID:       9"`,
  );
  write(
    'conf',
    `PEERS='db2 db3'
ROLE=replicator
PASS_FILE=none
BIN=${join(folder, 'bin')}
DATA=${join(folder, 'data')}
UNIT=none
LONE_START=wait`,
  );
  write('data/global/pg_control', 'full');
  write('lib/postgres-had-standby', '');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);

function write(name: string, text: string): void {
  writeFileSync(path(name), text);
}

function executable(name: string, text: string): void {
  write(name, text);
  chmodSync(path(name), 0o755);
}

/**
 * Asks the guard. What it says; empty where the server may start.
 * @param peers `writable timeline` of those that answer
 */
function start(peers: Readonly<Record<string, string>> = {}): string {
  const answers = Object.entries(peers).map(
    ([name, text]) => `*host=${name}\\ *) echo '${text} 7' ;;`,
  );
  executable('bin/psql', `#!/bin/sh\ncase "$*" in\n${answers.join('\n')}\n*) exit 2 ;;\nesac`);
  const { status, stderr } = spawnSync(path('guard'), ['start'], {
    encoding: 'utf8',
    env: { PATH: `${path('bin')}:${process.env['PATH'] ?? ''}` },
  });
  expect(status === 0).toBe(stderr === '');
  return stderr.trim();
}

const fenced = (): boolean => existsSync(path('lib/postgres-fenced'));
const fence = (): void => {
  write('lib/postgres-fenced', '2026-11-29T03:00:00Z: db2 took over by failover\n');
};
const word = (): void => {
  write('run/postgres-lone-start', '');
};

describe('data that was a primary’s', () => {
  it('starts while others follow it, and not beside one that takes writes', () => {
    expect(start({ db2: 'f 9', db3: 'f 9' })).toBe('');
    expect(start({ db2: 't 9' })).toBe('stays down: db2 takes writes already');
    expect(fenced()).toBe(false);
  });

  it('stays down once it has seen a newer timeline, also when nobody shows it any more', () => {
    expect(start({ db2: 't 10', db3: 'f 9' })).toBe(
      'stays down: db2 knows timeline 10, this data ends on 9. Next: odoo-prov rejoin',
    );
    expect(start({ db3: 'f 9' })).toMatch(
      /^stays down: fenced at .*Z: db2 knows timeline 10, this data ends on 9\. No host that answers has taken over\. Next: bring back/,
    );
    expect(start({ db3: 'f 10' })).toMatch(/fenced at .*Next: odoo-prov rejoin$/);
  });

  it('starts alone by a word that counts once', () => {
    expect(start()).toContain(WAITS);
    word();
    expect(start()).toBe('');
    expect(start()).toContain(WAITS);
  });

  it('starts by that word where it is fenced and all others are lost, never against their answer', () => {
    fence();
    word();
    expect(start({ db3: 'f 9' })).toContain('stays down: fenced');
    expect(start()).toBe('');
    expect([fenced(), existsSync(path('run/postgres-lone-start'))]).toEqual([false, false]);
    fence();
    expect(start()).toContain(`lost for good: touch ${path('run/postgres-lone-start')}`);
  });
});

/** Has the guard look once at a server that runs. */
function watchOnce(): void {
  const server = spawn('tail', ['-f', '/dev/null'], { cwd: path('data') });
  try {
    write('data/postmaster.pid', `${String(server.pid)}\n`);
    executable(
      'bin/sleep',
      `#!/bin/sh\nif [ -e ${path('looked')} ]; then exit 1; fi\n: >${path('looked')}`,
    );
    const { stderr } = spawnSync(path('guard'), ['watch'], {
      encoding: 'utf8',
      env: { PATH: `${path('bin')}:${process.env['PATH'] ?? ''}` },
    });
    expect([stderr, existsSync(path('looked'))]).toEqual(['', true]);
  } finally {
    server.kill();
    rmSync(path('looked'), { force: true });
  }
}

describe('data of a standby', () => {
  it('loses a fence that was left while it runs; a primary keeps it', () => {
    fence();
    watchOnce();
    expect(fenced()).toBe(true);
    write('data/standby.signal', '');
    watchOnce();
    expect(fenced()).toBe(false);
  });

  it('starts, and loses the fence: once it is promoted it is the newest', () => {
    fence();
    write('data/standby.signal', '');
    expect(start({ db2: 't 10' })).toBe('');
    rmSync(path('data/standby.signal'));
    expect(start({ db2: 'f 9' })).toBe('');
  });

  it('is not told of the timeline that it cannot follow: it is to hear of it while it runs', () => {
    write('data/standby.signal', '');
    for (const name of ['00000008', '00000009', '0000000A'])
      write(`data/pg_wal/${name}.history`, '');
    executable(
      'bin/past-fork',
      `#!/bin/sh\ncase "$*" in '${path('data')} '*/0000000A.history) exit 0 ;; esac\nexit 1`,
    );
    expect(start()).toBe('');
    expect(readdirSync(path('data/pg_wal'))).toEqual(['00000008.history', '00000009.history']);
    // The mark stays with the data, until that is the newest by somebody's promotion.
    write('data/odoo-prov-past-fork', '');
    expect(start()).toBe('');
    expect(existsSync(path('data/odoo-prov-past-fork'))).toBe(true);
    rmSync(path('data/standby.signal'));
    expect(start({ db2: 'f 9' })).toBe('');
    expect(existsSync(path('data/odoo-prov-past-fork'))).toBe(false);
    // Data that is being restored goes where it was told to.
    write('data/recovery.signal', '');
    write('data/pg_wal/0000000A.history', '');
    expect(start()).toBe('');
    expect(existsSync(path('data/pg_wal/0000000A.history'))).toBe(true);
  });
});
