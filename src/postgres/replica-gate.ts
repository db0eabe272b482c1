import { databaseHosts, hostsWith } from '../inventory/cluster.js';
import { ODOO_USER, readsFromReplicas } from '../odoo/layout.js';
import { aptPackage, file, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { LAG_SECONDS, binFolder, versionOf } from './layout.js';
import { watchService } from './watch-service.js';

const PROGRAM = '/usr/lib/odoo-prov/postgres-replica-gate';
const CONFIG = '/etc/odoo-prov/postgres-replica-gate.conf';
const SERVICE = 'odoo-prov-postgres-replica-gate.service';

/** Whether Odoo reads on this host, which therefore has to say when its data is too old: Odoo itself never asks. */
function isRead({ written, host }: Site): boolean {
  return host.roles.includes('pg-replica') && readsFromReplicas(written);
}

/** nftables, for {@link replicaGate}. */
export function gatePackages(site: Site): readonly Resource[] {
  return isRead(site) ? [aptPackage({ name: 'nftables' })] : [];
}

/**
 * What closes a replica to Odoo while it lags. The connection is refused, not the login: then libpq goes on to the next
 * replica of Odoo's list. Hosts that hold a database themselves are let in, for their guard must get its answer.
 */
export function replicaGate(site: Site): readonly Resource[] {
  const databases = databaseHosts(site.written).map(({ address }) => address);
  const readers = hostsWith(site.written, 'app')
    .map(({ address }) => address)
    .filter((address) => !databases.includes(address));
  if (!isRead(site) || readers.length === 0) return [unit({ name: SERVICE, running: false })];
  const data = {
    bin: binFolder(versionOf(site)),
    readers: readers.join(' '),
    role: ODOO_USER,
    maxLag: site.cluster.postgres.replication.maxLag,
    maxSeconds: LAG_SECONDS,
  };
  return [
    file({ path: PROGRAM, content: site.asset('postgres/replica-gate.sh'), mode: '0755' }),
    file({ path: CONFIG, content: site.template('postgres/replica-gate.conf.hbs', data) }),
    ...watchService({
      name: SERVICE,
      description: 'Closes a PostgreSQL replica to Odoo while it lags',
      program: PROGRAM,
      config: CONFIG,
      atEnd: 'open',
    }),
  ];
}
