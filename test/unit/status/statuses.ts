import { databaseOf } from '../../../src/status/database.js';
import { readHost } from '../../../src/status/host.js';
import type { ClusterStatus, HostStatus } from '../../../src/status/model.js';
import type { RoleName } from '../../../src/inventory/cluster.js';
import { testHost } from '../../support/site.js';
import { PGBOUNCER_124, RECORDED, REDIS, SYSTEM } from './recorded.js';

const MAX_LAG = 16 * 1024 ** 2;

/** A system with room for everything. */
export const ROOMY = SYSTEM.split('\n')
  .filter((line) => !line.startsWith('disk /var') && !line.startsWith('hangs'))
  .join('\n');

/** The lines of units that run, as `servicesProbe` prints them. */
export function units(given: Readonly<Record<string, string>>, states: readonly string[]): string {
  const rows = Object.entries(given).map(([unit, role]) => `${role} ${unit}`);
  const blocks = Object.keys(given).map((unit, i) => {
    const [active = 'active', sub = 'running'] = (states[i] ?? 'active running').split(' ');
    return `Id=${unit}\nActiveState=${active}\nSubState=${sub}`;
  });
  return `${rows.join('\n')}\n\n${blocks.join('\n\n')}\n`;
}

/** A host that answered, from what its snippets printed. */
export function answered(
  name: string,
  last: number,
  roles: readonly RoleName[],
  texts: Readonly<Record<string, string>>,
): HostStatus {
  const outputs = Object.entries({ system: ROOMY, ...texts });
  return readHost(
    testHost(name, last, roles),
    new Map(outputs.map(([part, text]) => [part, { text, code: 0 }])),
  );
}

const POSTGRES = { 'postgresql@17-main.service': 'postgres' };

/** The primary; the recorded one, so its address is 198.51.100.129. */
export function db1(
  text: string = RECORDED.streaming.primary,
  more: Readonly<Record<string, string>> = {},
): HostStatus {
  const services = units(POSTGRES, []);
  return answered('db1', 129, ['pg-primary'], {
    ...{ services, postgres: text, databases: '' },
    ...more,
  });
}

/** The recorded standby. */
export function front(
  text: string = RECORDED.streaming.standby,
  more: Readonly<Record<string, string>> = {},
): HostStatus {
  const services = units(POSTGRES, []);
  return answered('front', 131, ['pg-standby'], { services, postgres: text, ...more });
}

export function pool1(text = PGBOUNCER_124, state = 'active running'): HostStatus {
  const services = units({ 'pgbouncer.service': 'pgbouncer' }, [state]);
  return answered('pool1', 51, ['pgbouncer'], { services, pgbouncer: text });
}

export function redis1(text = REDIS, state = 'active running'): HostStatus {
  const services = units({ 'redis-server.service': 'redis' }, [state]);
  return answered('redis1', 61, ['redis'], { services, redis: text });
}

export function app1(odoo = 'app 4 4 200', state = 'active running'): HostStatus {
  const services = units({ 'odoo-app.service': 'app' }, [state]);
  return answered('app1', 21, ['app'], { services, odoo });
}

export const NOW = 1_795_307_874;

export function edge1(answer = '200 0.021', days = 300, state = 'active running'): HostStatus {
  const services = units({ 'nginx.service': 'edge' }, [state]);
  const expires = new Date((NOW + days * 86_400) * 1000).toUTCString();
  const edge = `now=${String(NOW)}\nanswer=${answer}\nexpires=${expires}`;
  return answered('edge1', 11, ['edge'], { services, edge });
}

/** What the data of a primary on timeline 2 says, which began at this position (its lower half) of timeline 1. */
export function forkedAt(lsn: string): string {
  const words = `2@0/${lsn} 0@0/0 2 1@0/${lsn}`;
  return `/var/lib/postgresql/17/main\t7710786257102789661\t2\tno\tin production\truns\t${words}`;
}

/** A cluster of such hosts. */
export function seen(...hosts: readonly HostStatus[]): ClusterStatus {
  return {
    cluster: 'acme',
    at: '2026-11-22T00:30:12.345Z',
    database: databaseOf(hosts, MAX_LAG),
    budget: {
      expected: 15,
      worst: 88,
      pgbouncers: 1,
      poolSize: 20,
      postgresPoolSize: 15,
      maxConnections: 100,
    },
    wanted: { synchronous: [], archive: false, databases: [] },
    allDatabases: true,
    hosts,
  };
}
