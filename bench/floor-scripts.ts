import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCluster, BenchHost } from './hosts.js';
import { FLOOR_SCRIPTS } from './paths.js';

/** The roles that run Odoo share a part. */
const ODOO = ['app', 'cron', 'gevent'];

/** The hand-written script of one host: what its roles have, then one look at all of it. */
export function floorScript(cluster: BenchCluster, host: BenchHost): string {
  const odoo = host.roles.some((role) => ODOO.includes(role)) ? ['odoo'] : [];
  const first = cluster.hosts.find(({ roles }) => roles.includes('app'));
  const initialises = first === host ? ['initialising-app'] : [];
  const parts = ['base', ...odoo, ...host.roles, ...initialises, 'look'];
  const database = cluster.hosts.find(({ roles }) => roles.includes('pg-primary'));
  return parts
    .map((part) => readFileSync(join(FLOOR_SCRIPTS, `${part}.sh`), 'utf8'))
    .join('\n')
    .replaceAll('@cluster@', cluster.name)
    .replaceAll('@domain@', cluster.domain)
    .replaceAll('@address@', host.address)
    .replaceAll('@database@', database?.address ?? '');
}
