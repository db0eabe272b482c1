import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseStartFailed, startFailedProbe } from '../../src/status/start-failed.js';
import { fakeProgram, runShell } from '../support/fake-programs.js';

type Look = Readonly<Record<string, string | number>>;

/** What systemd says of a service that it is about to start again, and of that next start. */
const waiting: Look = {
  NRestarts: 0,
  Result: 'exit-code',
  ActiveState: 'activating',
  InactiveExitTimestamp: '@1764500000',
  InvocationID: 'one',
};
const starting: Look = {
  ...waiting,
  NRestarts: 1,
  Result: 'success',
  InactiveExitTimestamp: '@1764500002',
  InvocationID: 'two',
};
const SAID = 'Error: invalid line 1 in /etc/postgresql/17/main/conf.d/99-mine.conf';

describe('why PostgreSQL did not start', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'start-failed-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** What the probe tells where systemd answers its first look with the first of these, and so on. */
  function told(...looks: readonly Look[]): string | null {
    for (const [index, look] of looks.entries()) {
      const text = Object.entries(look).map(([name, value]) => `${name}=${String(value)}\n`);
      writeFileSync(join(folder, `look-${String(index + 1)}`), text.join(''));
    }
    fakeProgram(
      folder,
      'systemctl',
      `cd '${folder}'
case $1 in
  list-units) echo 'postgresql@17-main.service loaded activating auto-restart PostgreSQL'; exit ;;
esac
echo >>looks
look=look-$(wc -l <looks)
[ -e "$look" ] || look=look-${String(looks.length)}
cat "$look"`,
    );
    // The start that is going on has said nothing yet.
    fakeProgram(
      folder,
      'journalctl',
      `case "$*" in *_SYSTEMD_INVOCATION_ID=two*) ;; *) echo '${SAID}: "no such thing"' ;; esac`,
    );
    const { stdout, stderr } = runShell(folder, startFailedProbe().render());
    expect(stderr).toBe('');
    return parseStartFailed(stdout);
  }

  it('is what its last start said, without the line that may hold a password', () => {
    expect(told(waiting)).toBe(SAID);
    expect(told({ ...waiting, ActiveState: 'failed' })).toBe(SAID);
  });

  it('is what the start before said, while systemd tries again', () => {
    expect(told(starting)).toBe(SAID);
  });

  it('is told also where systemd tries again in the middle of the look', () => {
    expect(told(waiting, starting)).toBe(SAID);
  });

  it('is nothing where it runs, was stopped, or starts for the first time', () => {
    expect(told({ ...starting, ActiveState: 'active' })).toBeNull();
    expect(told({ ...waiting, Result: 'success', ActiveState: 'inactive' })).toBeNull();
    expect(told({ ...starting, NRestarts: 0 })).toBeNull();
  });
});
