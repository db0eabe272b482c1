import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cloneInPlace } from '../../playbooks/primary/rejoin-script.js';
import { step } from '../../playbooks/primary/steps.js';
import { fakeProgram, moverHere } from '../support/fake-programs.js';
import { testHost } from '../support/site.js';

const db1 = testHost('db1', 71, ['pg-standby']);

describe('a copy of everything for which there is no room', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rejoin-room-'));
    mkdirSync(join(folder, 'main'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** The copy's step, with data in this folder. */
  function copy(): Promise<unknown> {
    fakeProgram(folder, 'df', 'echo head\necho disk 0 0 3100 99% "$2"');
    const options = { source: '198.51.100.72', slot: 'db1', kilobytes: 90_000 };
    const script = cloneInPlace({ ...options, timeline: 3, keep: true });
    const mover = moverHere(folder, db1, (text) =>
      text.replace(/^data=.*$/m, `data=${folder}/main`),
    );
    return step(mover, 'db1', 'copy everything from db2', script).catch((error: unknown) => error);
  }

  it('says how much is needed and what to do, and names no older data that is not there', async () => {
    expect(await copy()).toMatchObject({
      details: {
        message: `could not copy everything from db2: no room in ${folder} for a copy of the primary`,
        expected: '90000 kB free',
        found: '3100 kB',
        remedy: `make room there, or move ${folder}/main to another disk; then run the same command again`,
      },
    });
  });

  it('names older data that is there', async () => {
    mkdirSync(join(folder, 'main.before-rejoin-1'));
    mkdirSync(join(folder, 'main.before-rejoin-1-2'));
    expect(await copy()).toMatchObject({
      details: {
        remedy: `make room there (older data: ${folder}/main.before-rejoin-1, ${folder}/main.before-rejoin-1-2), or move ${folder}/main to another disk; then run the same command again`,
      },
    });
  });
});
