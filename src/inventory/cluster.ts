import { ODOO_ROLES, type RoleName } from './roles.js';

export { ROLES, SUPPORTED_ROLES, type RoleName } from './roles.js';

/** The roles that share one PostgreSQL cluster. Which host has which of them changes with every promotion. */
export const DATABASE_ROLES = ['pg-primary', 'pg-standby', 'pg-replica'] as const;
export type DatabaseRole = (typeof DATABASE_ROLES)[number];

export type Setting = string | number | boolean;
export type Settings = Readonly<Record<string, Setting>>;

/** How a host is reached. What is not given comes from `~/.ssh/config`, then from OpenSSH's defaults. */
export interface SshOptions {
  readonly user?: string;
  readonly port?: number;
  /** Path of a private key, `~` allowed, relative to the inventory. */
  readonly key?: string;
  /** A bastion: `[user@]host[:port]`. */
  readonly jump?: string;
  /** Become root by sudo after logging in as `user`. */
  readonly become: boolean;
  /** Path of a known_hosts file; `~/.ssh/known_hosts` if not given. */
  readonly knownHosts?: string;
  /** `strict`: the key must be known; `accept-new`: an unknown host's key is recorded. A changed key is refused always. */
  readonly hostKey: 'strict' | 'accept-new';
}

export interface Host {
  readonly name: string;
  readonly address: string;
  readonly roles: readonly RoleName[];
  /** Share of requests that an app host gets. */
  readonly weight: number;
  /** Bytes; overrides what is detected. */
  readonly memory?: number;
  /** Overrides what is detected. */
  readonly cores?: number;
  readonly disk?: 'ssd' | 'hdd';
  readonly ssh: SshOptions;
}

export type OdooSource =
  | { readonly type: 'nightly' }
  /** Debian unstable's package. */
  | { readonly type: 'debian' }
  | {
      readonly type: 'apt';
      readonly uri: string;
      readonly suite: string;
      readonly components: readonly string[];
      /** ASCII-armoured public key: its text (the inventory gives a path, read relative to it). */
      readonly key: string;
      readonly package: string;
    };

/** A bucket of a store that speaks S3's protocol. Its key and its secret are among the secrets. */
export interface S3Bucket {
  /** Host name or address; HTTPS always. */
  readonly endpoint: string;
  readonly port: number;
  readonly bucket: string;
  readonly region: string;
  /** `path`: https://endpoint/bucket/; `host`: https://bucket.endpoint/. */
  readonly uriStyle: 'path' | 'host';
  /** PEM text of the authorities that its certificate is checked by; not given: those of the system. */
  readonly ca?: string;
}

/** WAL archive and backups on one host or in a bucket, and snapshots of the filestore. */
export interface Backup {
  /** Name of the host that keeps the repository; not given where a bucket does. */
  readonly host?: string;
  /** The bucket that keeps the repository; either this or {@link host}. */
  readonly s3?: S3Bucket;
  /** When, as systemd's OnCalendar. */
  readonly full: string;
  readonly diff?: string;
  /** When the filestore is saved, as OnCalendar; not given: never. */
  readonly filestore?: string;
  /** Full backups that are kept. */
  readonly keep: number;
  /** Absolute path of the repository there: on the host, or in the bucket. */
  readonly path: string;
}

/** A whole, checked inventory: every default filled in, every path absolute. */
export interface Cluster {
  readonly name: string;
  /** Absolute path of the inventory file. */
  readonly file: string;
  readonly odoo: {
    readonly version: '16.0' | '17.0' | '18.0' | '19.0';
    readonly source: OdooSource;
    readonly database: string;
    readonly domain: string;
    /** Concurrent users: sizes workers. */
    readonly users: number;
    readonly sessions: 'redis' | 'files';
    readonly languages: readonly string[];
    /** Any odoo.conf key, for all Odoo services. */
    readonly settings: Settings;
  };
  readonly postgres: {
    readonly replication: {
      /**
       * What a commit waits for. `off`: this host's disk; `on`: a standby's disk as well; `remote_apply`:
       * until it can be read on a standby.
       */
      readonly synchronous: 'off' | 'on' | 'remote_apply';
      /** With synchronous replication and no standby left: `block`, commits wait; `continue`, they do not. */
      readonly onStandbyLoss: 'block' | 'continue';
      /** Bytes of WAL that a standby may lack before it counts as lagging. */
      readonly maxLag: number;
    };
    /** Whether a primary starts by itself while no other database host answers. */
    readonly loneStart: 'wait' | 'start';
    readonly settings: Settings;
    /** Who may read Odoo's database as `reporting` (addresses with their bits), with how many connections. */
    readonly reporting?: { readonly from: readonly string[]; readonly connections: number };
    /** Not given: nothing is archived. */
    readonly backup?: Backup;
  };
  readonly pgbouncer: {
    readonly poolMode: 'session' | 'transaction';
    readonly maxClientConn: number;
    readonly settings: Settings;
  };
  readonly redis: { readonly settings: Settings };
  readonly edge: {
    readonly balancer: 'nginx';
    /** `sticky`: ip_hash. */
    readonly balance: 'round-robin' | 'sticky';
    /** Absolute paths of PEM files on the operator's machine, or made on the edge host. */
    readonly tls: 'self-signed' | { readonly certificate: string; readonly key: string };
    /** Largest request body, nginx syntax. */
    readonly maxBody: string;
  };
  readonly filestore: {
    readonly type: 'local' | 'posix';
    /** Odoo's data directory; on every Odoo host (posix: a shared mount, or inside one). */
    readonly path: string;
  };
  /** From where on `failover-test` says failed. Seconds. */
  readonly failoverTest: {
    /** Longest time until every client can write, and every user is answered, again. */
    readonly rto: number;
    /** Longest time of which acknowledged writes may be lost in a failover. */
    readonly rpo: number;
    /** Longest time for which a client, or a user, may be without a success where the cluster survives. */
    readonly gap: number;
    /** How many requests of users may fail where the cluster survives. */
    readonly failedRequests: number;
  };
  readonly hosts: readonly Host[];
}

/** The hosts that carry a role, in the inventory's order. */
export function hostsWith(cluster: Cluster, ...roles: readonly RoleName[]): readonly Host[] {
  return cluster.hosts.filter((host) => roles.some((role) => host.roles.includes(role)));
}

/** The database role of a host, undefined if it has none. */
export function databaseRole(host: Host): DatabaseRole | undefined {
  return DATABASE_ROLES.find((role) => host.roles.includes(role));
}

/** The hosts that hold, or will hold, the PostgreSQL cluster or a copy of it. */
export function databaseHosts(cluster: Cluster): readonly Host[] {
  return hostsWith(cluster, ...DATABASE_ROLES);
}

/** The host that keeps WAL archive and backups; undefined where none does, or a bucket. */
export function backupHost(cluster: Cluster): Host | undefined {
  return cluster.hosts.find(({ name }) => name === cluster.postgres.backup?.host);
}

/** Whether Odoo runs on a host. */
export function runsOdoo(host: Host): boolean {
  return ODOO_ROLES.some((role) => host.roles.includes(role));
}
