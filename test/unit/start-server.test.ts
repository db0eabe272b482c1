import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lessIn, STOP_IF_LESS } from '../../playbooks/primary/start-server.js';

const bin = mkdtempSync(join(tmpdir(), 'odoo-prov-start-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));

/** What is printed where a server does not start whose files say so many connections and workers, and its data what its primary had. */
function said(connections: string, workers: string): { stdout: string; code: number | null } {
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  program(
    'pg_controldata',
    `cat <<'EOF'
max_connections setting:              200
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
EOF`,
  );
  program(
    'postgres',
    `case $2 in max_connections) ${connections} ;; max_worker_processes) ${workers} ;; *) echo 64 ;; esac`,
  );
  const fakes = `bin=${bin} data=d conf=c unit=u
as_postgres() { "$@"; }
systemctl() { echo "systemctl $*"; }`;
  const script = `${fakes}\nfalse || {\n${STOP_IF_LESS.render()}\nexit 3\n}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', script]);
  expect(stderr.toString()).toBe('');
  return { stdout: stdout.toString(), code: status };
}

describe('a standby that does not start', () => {
  it('is stopped where it has less than its primary, and each setting told with both values', () => {
    const { stdout, code } = said('echo 150', 'echo 4');
    expect(code).toBe(0);
    expect(stdout).toContain('systemctl stop u\n');
    expect(lessIn(stdout)).toEqual([
      'max_connections 150 instead of 200',
      'max_worker_processes 4 instead of 8',
    ]);
  });

  it('is an error where it has as much', () => {
    expect(said('echo 200', 'echo 8')).toEqual({ stdout: '', code: 3 });
  });

  it('is an error where its files cannot be read', () => {
    expect(said('exit 1', 'echo 8')).toEqual({ stdout: '', code: 3 });
  });
});
