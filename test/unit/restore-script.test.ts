import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runRestore } from '../../src/postgres/restore-script.js';

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
