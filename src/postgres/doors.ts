import { databaseHosts, hostsWith, type Cluster, type Host } from '../inventory/cluster.js';
import { initialisingHost, ODOO_USER, readsFromReplicas } from '../odoo/layout.js';
import type { Site } from '../role/role.js';
import { REPLICATION_USER, REPORTING_USER } from './layout.js';

/** One line of pg_hba.conf. */
export interface Door {
  /** Whose it is, for people. */
  readonly name: string;
  readonly databases: string;
  readonly role: string;
  readonly address: string;
}

/**
 * Who may connect over the network, alike on all database hosts: PgBouncer, and the host that initialises
 * and updates Odoo's database, which must not pass a pooler; Odoo's hosts where it reads from replicas; the
 * other database hosts, for replication. Reports may come to the replicas only, as far as there are any.
 */
export function doorsOf(site: Site): readonly Door[] {
  const { cluster, written } = site;
  const odoo = new Set([
    ...hostsWith(written, 'pgbouncer'),
    initialisingHost(written),
    ...(readsFromReplicas(written) ? hostsWith(written, 'app') : []),
  ]);
  const peers = databaseHosts(written).filter(({ name }) => name !== site.host.name);
  return [
    ...[...odoo].flatMap((host) =>
      doors(site, host, `${cluster.odoo.database},postgres`, ODOO_USER),
    ),
    ...peers.flatMap((host) => doors(site, host, 'replication,postgres', REPLICATION_USER)),
    ...(reportingHosts(written).includes(site.host.name) ? reports(cluster) : []),
  ];
}

function reports(cluster: Cluster): readonly Door[] {
  const { reporting } = cluster.postgres;
  const databases = cluster.odoo.database;
  return (reporting?.from ?? []).map((address) => ({
    ...{ name: 'Reports, which read only.', databases, role: REPORTING_USER, address },
  }));
}

/** Where reports read, by the inventory: the replicas; without any the standbys; without these the primary. */
export function reportingHosts(written: Cluster): readonly string[] {
  const [hosts = []] = (['pg-replica', 'pg-standby', 'pg-primary'] as const)
    .map((role) => hostsWith(written, role))
    .filter(({ length }) => length > 0);
  return hosts.map(({ name }) => name);
}

/** One on this host comes from its loopback or its own address. */
function doors(site: Site, from: Host, databases: string, role: string): readonly Door[] {
  const { name, address } = from;
  return [
    ...(name === site.host.name ? [{ name, databases, role, address: '127.0.0.1/32' }] : []),
    { name, databases, role, address: range(address) },
  ];
}

/** An address as pg_hba.conf wants it; a name stays one. */
function range(address: string): string {
  if (address.includes(':')) return `${address}/128`;
  return /^[\d.]+$/.test(address) ? `${address}/32` : address;
}
