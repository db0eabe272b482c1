import type { Cluster, Host, RoleName } from '../inventory/cluster.js';
import type { Resource } from '../resource/kind.js';
import type { Secret } from '../shell/index.js';

/** What was read off a host itself. */
export interface Facts {
  /** Bytes; the inventory's `memory` wins. */
  readonly memory: number;
  readonly cores: number;
  /** Debian's major version, e.g. 13. */
  readonly debian: number;
  /** e.g. `trixie`. */
  readonly codename: string;
  /** Shares its kernel with others: its sysctls and clock cannot be set. */
  readonly container: boolean;
  /** Base URL of the Debian mirror that the host itself uses. */
  readonly mirror: string;
  /** A guess: the host has not answered yet, in this run or an earlier one. */
  readonly assumed?: true;
}

/** One stage of work on a host: the inventory's roles, and those that follow from them. */
export type StageName =
  RoleName | 'base' | 'odoo' | 'odoo-database' | 'backup' | 'archive' | 'filestore-backup';

/**
 * `install` is the part of all roles that comes first; `restart` follows a database role whose server must be
 * restarted, one host at a time; `prune` stops what removed roles left.
 */
export type Stage = StageName | 'install' | 'restart' | 'prune';

/** Everything that a role may look at. It is plain data: a role does no I/O. */
export interface Site {
  /** As it is now: the database roles are where PostgreSQL's primary and its standbys really are. */
  readonly cluster: Cluster;
  /** As the operator wrote it. What must stay the same over a promotion hangs on this. */
  readonly written: Cluster;
  readonly host: Host;
  /** PostgreSQL's own name for the cluster that the database hosts hold; undefined while there is none. */
  readonly systemIdentifier?: string;
  /** Facts of this host. */
  readonly facts: Facts;
  /** Facts of any host of the cluster. */
  factsOf(host: Host): Facts;
  /** A secret by name, generated at its first use and the same ever after. Names: `redis-password`, … */
  secret(name: string): Secret;
  /** The text of `templates/<name>` filled in with data; a Secret if the data holds one. */
  template(name: string, data: Readonly<Record<string, unknown>>): string | Secret;
  /** The text of a file of the package below `templates/`, as it is. */
  asset(name: string): string;
  /** The text of a file on the operator's machine that the inventory names (a certificate), by its path. */
  given(path: string): string;
}

/** One role: what its hosts get. A page of pure code in `roles/<name>/`. */
export interface RoleDefinition {
  readonly name: StageName;
  /** One line for the documentation. */
  readonly summary: string;
  /**
   * Stages that must be finished on their hosts before this one's configuration starts. One that its own host
   * has too is waited for there only. `restart`: every database server that must be restarted is back.
   */
  readonly after: readonly (StageName | 'restart')[];
  /** At most so many of its hosts restart a running service at the same time; no limit if not given. */
  readonly serial?: number;
  /** Which hosts have it. */
  on(host: Host, cluster: Cluster): boolean;
  /** Apt sources, preseeds and packages: done first, on all hosts at once. */
  install(site: Site): readonly Resource[];
  /** Everything else, in the order in which it is made. */
  configure(site: Site): readonly Resource[];
}
