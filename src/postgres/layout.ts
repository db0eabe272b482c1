import type { Host } from '../inventory/cluster.js';
import type { Site } from '../role/role.js';

export const PORT = 5432;
/** The role that standbys, pg_rewind and the guard of the other hosts log in as. */
export const REPLICATION_USER = 'replicator';
/** The role of people and programs that only read. */
export const REPORTING_USER = 'reporting';
/** Seconds by which a replica may be behind: a query may hold up replay for 30 s (max_standby_streaming_delay). */
export const LAG_SECONDS = 30;
/** Where the server's own walreceiver finds its password: in postgres' home, for it alone. */
export const REPLICATION_PASS_FILE = '/var/lib/postgresql/.odoo-prov-pgpass';

/** PostgreSQL as Debian has it: 12 brings 15, 13 brings 17. */
export function versionOf({ facts }: Pick<Site, 'facts'>): number {
  return facts.debian === 12 ? 15 : 17;
}

/** The replication slot of a host. Slots have letters, digits and underscores only. */
export function slotOf(host: Pick<Host, 'name'>): string {
  return host.name.toLowerCase().replaceAll('-', '_');
}

/** Where PostgreSQL's programs are. */
export function binFolder(version: number): string {
  return `/usr/lib/postgresql/${String(version)}/bin`;
}

/** Where Debian keeps the data of the cluster `main`. */
export function dataFolder(version: number): string {
  return `/var/lib/postgresql/${String(version)}/main`;
}

/** The unit of the cluster `main`. */
export function unitOf(version: number): string {
  return `postgresql@${String(version)}-main.service`;
}

/** The operator's word to a host's guard that its server may start while no other database host answers; it counts once. */
export const LONE_START_WORD = '/run/odoo-prov/postgres-lone-start';

/** There while a host's data is known to be outdated, or about to be: its guard keeps it down. Says since when, and why. */
export const FENCE_FILE = '/var/lib/odoo-prov/postgres-fenced';

/**
 * In the data of a standby that is past the fork, by its guard's word: the timeline of its WAL that is. Other data in its place, or a
 * rewind, has none.
 */
export const PAST_FORK_FILE = 'odoo-prov-past-fork';

/** There on a database host from before a restore in place moves its data aside until the restored data takes writes. */
export const RESTORING = '/var/lib/odoo-prov/restoring-in-place';

/** The schema of a failover-test's own tables in Odoo's database: rows in it are of use to nobody but the test. */
export const FAILOVER_TEST_SCHEMA = 'odoo_prov_failover_test';
