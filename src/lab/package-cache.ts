import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { PACKAGE_ROOT } from '../template/package-files.js';
import { detectCgroups, isPopulated, killGroup, makeGroup, packageCacheGroup } from './cgroup.js';
import { command, expectSuccess, lastLines } from './command.js';
import { readIfThere } from './files.js';
import { PACKAGE_CACHE_PORT } from './host-files.js';
import { labFailure } from './lab-failure.js';
import { cacheDirectory, labPaths } from './paths.js';
import type { LabState } from './state.js';

const WAIT_SECONDS = 20;

/**
 * Starts the lab's package cache, if it does not run: a small HTTP proxy on the bridge. What it has
 * fetched is kept for every lab of this machine.
 * @throws Failure lab when it does not answer
 */
export async function ensurePackageCache(lab: LabState): Promise<void> {
  const layout = await detectCgroups();
  const group = packageCacheGroup(lab.bridge);
  if ((await isPopulated(layout, group)) && (await accepts(lab.gateway))) return;
  await killGroup(layout, group);
  await makeGroup(layout, group);
  const log = labPaths(lab.name).packageCacheLog;
  const inGroup = `echo $$ > ${layout.root}${group}/cgroup.procs; exec "$@"`;
  const upstream = await machineProxy();
  const server = [
    process.execPath,
    serverFile(),
    lab.gateway,
    String(PACKAGE_CACHE_PORT),
    path.join(cacheDirectory(), 'packages'),
    ...(upstream === '' ? [] : [upstream]),
  ];
  await expectSuccess(
    'start the package cache',
    command`setsid --fork sh -c ${inGroup} sh ${server} </dev/null >>${log} 2>&1`,
  );
  const end = Date.now() + WAIT_SECONDS * 1000;
  while (!(await accepts(lab.gateway))) {
    if (Date.now() > end) {
      throw labFailure('the package cache does not answer', {
        expected: `an HTTP proxy on ${lab.gateway}:${PACKAGE_CACHE_PORT} within ${WAIT_SECONDS} s`,
        found: 'no connection',
        output: lastLines(await readIfThere(log)),
        remedy: `its log is ${log}`,
      });
    }
    await sleep(50);
  }
}

/** The proxy that this machine's apt is told to use; empty if none. */
async function machineProxy(): Promise<string> {
  const text = await expectSuccess(
    'read the machine’s apt configuration',
    command`apt-config dump --format '%f %v%n' Acquire::http::Proxy`,
  );
  const value = /^Acquire::http::Proxy (\S+)$/m.exec(text)?.[1] ?? '';
  return value.startsWith('http://') ? value : '';
}

/** Node cannot run its source, so tests take the compiled one, too. */
function serverFile(): string {
  const compiled = path.join(PACKAGE_ROOT, 'dist/package-cache-server.js');
  if (existsSync(compiled)) return compiled;
  throw labFailure('the package cache is not compiled', {
    expected: compiled,
    found: 'no such file',
    remedy: 'npm run build',
  });
}

async function accepts(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: PACKAGE_CACHE_PORT, timeout: 1000 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
  });
}
