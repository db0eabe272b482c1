import type { Cluster, Host } from '../inventory/cluster.js';
import { hostsWith, runsOdoo } from '../inventory/cluster.js';
import { pgbouncersFor } from '../inventory/pgbouncer-order.js';

/** The services that Odoo is cut into; each has a unit and a configuration of its own. */
export type OdooService = 'app' | 'cron' | 'gevent';

export const ODOO_USER = 'odoo';
/** Home of {@link ODOO_USER}; caches of fonts and of wkhtmltopdf land here, never Odoo's data. */
export const ODOO_HOME = '/var/lib/odoo';
/** Fixed, so that files on a shared filestore belong to the same user on every host. */
export const ODOO_UID = 869;
export const ODOO_CONFIG_FOLDER = '/etc/odoo';
/** Our own Odoo modules. */
export const OUR_ADDONS = '/usr/lib/odoo-prov/addons';
/** Where the packages put Odoo's modules: Debian's uses both, the nightly one the first. */
export const PACKAGED_ADDONS = [
  '/usr/lib/python3/dist-packages/odoo/addons',
  '/usr/lib/python3/dist-packages/addons',
] as const;

/** Port of the HTTP workers. */
export const HTTP_PORT = 8069;
/** Port of the evented server. */
export const GEVENT_PORT = 8072;
/** Port of Odoo's own evented child of the app service, which nobody is ever sent to. */
export const SPARE_GEVENT_PORT = 8073;
export const POSTGRES_PORT = 5432;
/** Port of every PgBouncer. */
export const PGBOUNCER_PORT = 6432;
const REDIS_PORT = 6379;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Configuration of a service, e.g. `/etc/odoo/cron.conf`. */
export function configPath(service: OdooService | 'database'): string {
  return `${ODOO_CONFIG_FOLDER}/${service}.conf`;
}

/** The unit of a service, e.g. `odoo-cron.service`. */
export function unitName(service: OdooService): string {
  return `odoo-${service}.service`;
}

/** The Debian package that holds Odoo. Debian has one package name a major version, Odoo's own has one. */
export function odooPackage(cluster: Cluster): string {
  const { source, version } = cluster.odoo;
  if (source.type === 'debian') return `odoo-${majorVersion(version)}`;
  return source.type === 'apt' ? source.package : 'odoo';
}

/** 16, 17, 18 or 19. */
export function majorVersion(version: Cluster['odoo']['version']): number {
  return Number.parseInt(version, 10);
}

/** The hosts that run any of Odoo's services. */
export function odooHosts(cluster: Cluster): readonly Host[] {
  return cluster.hosts.filter(runsOdoo);
}

/** The one host that initialises the database: its first app host. */
export function initialisingHost(cluster: Cluster): Host {
  return only(hostsWith(cluster, 'app'));
}

/** Whether every host that talks to Odoo's ports is the host that Odoo runs on: then they stay on loopback. */
export function onlyOneHost(cluster: Cluster): boolean {
  const names = new Set([...odooHosts(cluster), ...hostsWith(cluster, 'edge')].map((h) => h.name));
  return names.size === 1;
}

/** How `from` reaches a service on `to`: over loopback when they are the same host. */
export function addressOf(to: Host, from: Host): string {
  return to.name === from.name ? '127.0.0.1' : to.address;
}

/** PostgreSQL itself: for initialising, updates and dumps, which must not pass a pooler. */
export function postgresOf(cluster: Cluster, from: Host): Endpoint {
  return { host: addressOf(only(hostsWith(cluster, 'pg-primary')), from), port: POSTGRES_PORT };
}

/** Whether Odoo's read-only requests go to replicas: Odoo can since 18. */
export function readsFromReplicas(cluster: Cluster): boolean {
  return majorVersion(cluster.odoo.version) >= 18 && hostsWith(cluster, 'pg-replica').length > 0;
}

/**
 * Where the services connect: the PgBouncers, as the list that libpq takes in `host` (`h1,h2`). It tries one
 * after the other; the one port holds for all of them.
 */
export function databaseOf(cluster: Cluster, from: Host): Endpoint {
  const hosts = [...pgbouncersFor(cluster, from)].map((host) => addressOf(host, from));
  return { host: hosts.join(','), port: PGBOUNCER_PORT };
}

/** The Redis that holds the sessions; undefined where they are files. */
export function sessionsOf(cluster: Cluster, from: Host): Endpoint | undefined {
  if (cluster.odoo.sessions !== 'redis') return undefined;
  return { host: addressOf(only(hostsWith(cluster, 'redis')), from), port: REDIS_PORT };
}

/**
 * Whether nginx hands attachments out itself (X-Accel): every edge must see the filestore, which it does
 * on a shared mount, or when it is the host that Odoo runs on.
 */
export function edgeServesFilestore(cluster: Cluster): boolean {
  return cluster.filestore.type === 'posix' || onlyOneHost(cluster);
}

/** The hosts that read or write attachments. */
export function filestoreHosts(cluster: Cluster): readonly Host[] {
  const edges = edgeServesFilestore(cluster) ? hostsWith(cluster, 'edge') : [];
  return [...new Set([...odooHosts(cluster), ...edges])];
}

/** Odoo's attachments of this cluster's database. */
export function attachments(cluster: Cluster): string {
  return `${cluster.filestore.path}/filestore/${cluster.odoo.database}`;
}

/** Seen by every host when the filestore really is shared; written by {@link initialisingHost} only. */
export function filestoreMarker(cluster: Cluster): string {
  return `${cluster.filestore.path}/filestore/.odoo-prov-${cluster.name}`;
}

function only(hosts: readonly Host[]): Host {
  const [host] = hosts;
  if (host === undefined)
    throw new Error('the inventory was not checked: a needed role is missing');
  return host;
}
