import { hostname, userInfo } from 'node:os';
import type { Runner } from '../src/batch/runner.js';
import { PACKAGE_VERSION } from '../src/template/package-files.js';

/** Who runs this, since now. @param failoverTest the id of the failover-test that it is part of */
export function thisRun(failoverTest?: string): Runner {
  return {
    who: `${userInfo().username}@${hostname()}`,
    version: PACKAGE_VERSION,
    started: new Date().toISOString(),
    ...(failoverTest === undefined ? {} : { failoverTest }),
  };
}
