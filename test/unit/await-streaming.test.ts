import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awaitStreaming } from '../../playbooks/primary/await-streaming.js';
import { LOG_FOLDER } from '../../src/postgres/settings.js';
import { fakeProgram, moverHere } from '../support/fake-programs.js';
import { testHost } from '../support/site.js';

const db1 = testHost('db1', 71, ['pg-standby']);
const SAID = 'could not write to file "pg_wal/xlogtemp.77": No space left on device';

describe('a standby that receives nothing', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'await-streaming-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Waits for it here, with a psql that tells of no receiver, and so much room. Its log got a line then. */
  async function wait(
    kilobytes: number,
    secondsLater: number,
    limit: number,
    said = SAID,
  ): Promise<unknown> {
    fakeProgram(folder, 'setpriv', 'cat >/dev/null');
    fakeProgram(folder, 'df', `echo head; echo disk 0 0 ${String(kilobytes)} 99% "$2"`);
    const at = new Date(Date.now() + secondsLater * 1000).toISOString();
    const time = at.replace('T', ' ').replace('Z', ' GMT');
    writeFileSync(join(folder, 'postgresql-Mon.log'), `${time} [7] FATAL:  ${said}\n`);
    const mover = moverHere(folder, db1, (text) => text.replaceAll(LOG_FOLDER, folder));
    return awaitStreaming(mover, ['db1'], { limit }).catch((error: unknown) => error);
  }

  const make =
    /^make room on the host \(df -h \S+\/pg_wal\), then `odoo-prov apply FILE`: it follows by itself/;

  it('is waited for no longer once it says that its disk is full', async () => {
    expect(await wait(3100, 1, 60)).toMatchObject({
      details: {
        host: 'db1',
        message: 'could not follow the new primary: the disk is full',
        expected: expect.stringMatching(/^room for WAL in \S+\/pg_wal$/) as string,
        found: `3 MB left; PostgreSQL says: FATAL:  ${SAID}`,
        remedy: expect.stringMatching(make) as string,
      },
    });
  });

  it('is waited for some seconds where there is less room than a segment of WAL, and nothing is said', async () => {
    const began = Date.now();
    expect(await wait(3100, -20, 60)).toMatchObject({
      details: { found: '3 MB left', remedy: expect.stringMatching(make) as string },
    });
    expect(Date.now() - began).toBeGreaterThan(3900);
  }, 30_000);

  it('is waited for no longer than some seconds where nobody has its next WAL', async () => {
    const segment = '0000000A0000000000000008';
    const gone = `could not receive data from WAL stream: ERROR:  requested WAL segment ${segment} has already been removed`;
    expect(await wait(900_000, 2, 60, gone)).toMatchObject({
      details: {
        host: 'db1',
        message: 'could not follow the new primary: it cannot catch up',
        expected: 'WAL from where its data stands, on the primary',
        found: `${segment} is not there any more`,
        remedy: 'odoo-prov rejoin FILE --host db1 copies everything anew',
      },
    });
    // Said of what was there before.
    expect(await wait(900_000, -20, 6, gone)).toMatchObject({
      details: { message: 'could not follow the new primary: the command failed' },
    });
  }, 60_000);

  it('is waited for to the end where there is room, whatever it said before', async () => {
    expect(await wait(900_000, -20, 2)).toMatchObject({
      details: {
        message: 'could not follow the new primary: the command failed',
        output: expect.stringContaining('it does not receive WAL') as string,
      },
    });
  }, 30_000);
});
