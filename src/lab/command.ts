import { $ } from 'zx';
import type { ProcessPromise } from 'zx';

import { labFailure } from './lab-failure.js';

// `su` without a dash leaves root without the sbin folders, where ip and nft live.
const PATH = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;

/** A local command, silent, that reports its exit code instead of throwing. Arguments are quoted by zx. */
export const command = $({
  quiet: true,
  nothrow: true,
  env: { ...process.env, PATH, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
});

/**
 * Waits for a command that has to succeed.
 * @param what what it was for, as in "could not <what>"
 * @returns its standard output
 * @throws Failure lab, with its exit code and its last lines
 */
export async function expectSuccess(
  what: string,
  running: ProcessPromise,
  remedy = 'read what the command said; `odoo-prov lab down` removes a half-made lab',
): Promise<string> {
  const result = await running;
  if (result.exitCode === 0) return result.stdout;
  throw labFailure(`could not ${what}`, {
    expected: `${running.cmd} ends with 0`,
    found: result.signal ?? `exit code ${String(result.exitCode)}`,
    output: lastLines(result.stdout + result.stderr),
    remedy,
  });
}

/** The last lines of a log or an output, without terminal colours. */
export function lastLines(text: string, count = 12): string {
  const plain = text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
  return plain.trimEnd().split('\n').slice(-count).join('\n');
}
