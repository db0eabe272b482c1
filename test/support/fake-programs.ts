import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Mover } from '../../playbooks/primary/steps.js';
import type { Host } from '../../src/inventory/cluster.js';
import type { Script } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/session.js';
import { testCluster } from './site.js';

/** Puts a program of a host's into a folder, for {@link runShell}. @param lines its shell text */
export function fakeProgram(folder: string, name: string, lines: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** Runs a host's shell text here, with a folder's programs before those of this machine. @param words sh's options */
export function runShell(
  folder: string,
  text: string,
  words = '-eus',
): { readonly code: number; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync('sh', [words], {
    input: text,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
  });
  return { code: status ?? 1, stdout, stderr };
}

/** What the steps of a move work with, where their one host is a folder here. @param here a host's paths in a text made this machine's */
export function moverHere(folder: string, host: Host, here: (text: string) => string): Mover {
  const run = (script: Script) => Promise.resolve(runShell(folder, here(script.render()), '-s'));
  return {
    cluster: testCluster([host]),
    sessions: new Map([[host.name, { host, run } as unknown as Session]]),
    tell: () => undefined,
  };
}
