import {
  backupHost,
  databaseHosts,
  hostsWith,
  type Backup,
  type Cluster,
  type Host,
  type S3Bucket,
} from '../inventory/cluster.js';
import { directory, file, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import type { Secret } from '../shell/index.js';
import { BUCKET_AUTHORITY, bucketOptions } from './bucket.js';
import { hostCertificate } from './certificates.js';
import { dataFolder, versionOf } from './layout.js';

/*
 * pgBackRest, as all hosts that have it share it: the repository host pulls backups from the database hosts,
 * these push WAL to it and fetch it back. Both ways go over pgBackRest's own TLS server rather than SSH: no
 * host gets a login on another, sshd is left as the operator has it, and each side admits just the names of
 * the others, for just this stanza. Every database host is configured alike, whatever its role is now.
 * Where a bucket is the repository, there is none of this: each database host speaks to the store itself.
 */

export const PGBACKREST_CONFIG = '/etc/pgbackrest/pgbackrest.conf';
/** Where pgBackRest's server listens, by default. */
export const PGBACKREST_PORT = 8432;
export const SPOOL = '/var/spool/pgbackrest';
const SERVER = 'odoo-prov-pgbackrest';
const FOLDER = '/etc/pgbackrest';
const TLS = `${FOLDER}/tls`;
const AUTHORITY = `${TLS}/authority.crt`;
const CERTIFICATE = `${TLS}/host.crt`;
const KEY = `${TLS}/host.key`;
const POSTGRES = { owner: 'postgres', group: 'postgres' } as const;

/**
 * Seconds after which PostgreSQL hears that a segment could not be pushed, instead of 60. A server that is
 * being stopped tries its last segment three times: with a repository that is away, a switchover waits for that.
 */
const PUSH_TIMEOUT = 10;

export interface ConfigSection {
  readonly name: string;
  readonly options: readonly { readonly key: string; readonly value: string | Secret }[];
}

/** The name of a cluster in its repository. */
export function stanzaOf(cluster: Cluster): string {
  return cluster.name;
}

/** By this name a host fetches a copy that is none of the cluster's. No host can have it: it has a dot. */
const SCRATCH_CLIENT = 'scratch.odoo-prov';

/**
 * The repository's section, and the host on which pgBackRest is run for it: the one that keeps it, or the primary
 * where a bucket does.
 * @throws Error where the inventory has none: do not ask then
 */
export function repositoryOf(cluster: Cluster): { readonly backup: Backup; readonly host: Host } {
  const { backup } = cluster.postgres;
  const host = backup?.s3 === undefined ? backupHost(cluster) : hostsWith(cluster, 'pg-primary')[0];
  if (backup === undefined || host === undefined) throw new Error('this cluster has no backup');
  return { backup, host };
}

/** The files on a host by which pgBackRest works: it must be looked at again when one of them changes. */
export function pgbackrestFiles({ cluster }: Pick<Site, 'cluster'>): readonly string[] {
  const ca = cluster.postgres.backup?.s3?.ca;
  return [PGBACKREST_CONFIG, ...(ca === undefined ? [] : [`${FOLDER}/${BUCKET_AUTHORITY}`])];
}

/** Everything of pgBackRest on a host: certificates, configuration, its server. Packages are installed before. */
export function pgbackrest(site: Site): readonly Resource[] {
  const s3 = site.cluster.postgres.backup?.s3;
  const certificates = s3 === undefined ? tlsFiles(site) : authorityFile(s3);
  const config = file({
    path: PGBACKREST_CONFIG,
    content: site.template('backup/pgbackrest.conf.hbs', { sections: configOf(site) }),
    ...POSTGRES,
    mode: '0640',
  });
  const served = clientsOf(site).length > 0;
  return [
    directory({ path: FOLDER }),
    ...(s3 === undefined ? [directory({ path: TLS, ...POSTGRES, mode: '0750' })] : []),
    directory({ path: SPOOL, ...POSTGRES, mode: '0750' }),
    ...certificates,
    config,
    // Where it was one until the backups moved into a bucket, it would go on with a certificate that nobody needs.
    ...(served
      ? server(site, [...certificates, config])
      : [unit({ name: SERVER, running: false, enabled: false })]),
  ];
}

function server(site: Site, files: readonly Resource[]): readonly Resource[] {
  const unitFile = file({
    path: '/etc/systemd/system/odoo-prov-pgbackrest.service',
    content: site.template('backup/server.service.hbs', { cluster: site.cluster.name }),
  });
  return [
    unitFile,
    unit({
      name: SERVER,
      restartFor: [keyOf(unitFile), 'package:pgbackrest'],
      // A reload, so that a backup that is running is not cut off.
      reloadFor: files.map(keyOf),
    }),
  ];
}

function tlsFiles(site: Site): readonly Resource[] {
  const { name, address } = site.host;
  const own = hostCertificate(site.secret('pgbackrest-tls'), name, { dns: [address] });
  return [
    file({ path: AUTHORITY, content: own.authority, ...POSTGRES }),
    file({ path: CERTIFICATE, content: own.certificate, ...POSTGRES }),
    file({ path: KEY, content: own.key, ...POSTGRES, mode: '0600' }),
  ];
}

function authorityFile({ ca }: S3Bucket): readonly Resource[] {
  return ca === undefined ? [] : [file({ path: `${FOLDER}/${BUCKET_AUTHORITY}`, content: ca })];
}

/** The sections of a host's pgbackrest.conf. */
export function configOf(site: Site): readonly ConfigSection[] {
  const { cluster, host } = site;
  const keeper = backupHost(cluster);
  const keeps = keeper?.name === host.name;
  return [
    section('global', {
      ...(keeps || keeper === undefined ? repository(site) : remoteRepository(cluster)),
      'compress-type': 'zst',
      'process-max': processes(site),
      // WAL is pushed and fetched ahead by processes of their own: PostgreSQL need not wait for each.
      'archive-async': 'y',
      'spool-path': SPOOL,
      // A backup begins at once rather than with the next checkpoint, up to many minutes later.
      'start-fast': 'y',
      'log-level-console': 'info',
      'log-level-file': 'detail',
      ...tlsServer(site),
    }),
    ...(keeps ? [] : [section('global:archive-push', { 'archive-timeout': PUSH_TIMEOUT })]),
    section(stanzaOf(cluster), keeps ? databases(site) : ownDatabase(site, 1)),
  ];
}

/**
 * The files of a copy on a host that has nothing to do with the database, by their names in its folder.
 * @param render fills in `backup/pgbackrest.conf.hbs`
 */
export function scratchFiles(
  cluster: Cluster,
  host: Host,
  folder: string,
  secret: Site['secret'],
  render: (data: Readonly<Record<string, unknown>>) => string | Secret,
): ReadonlyMap<string, string | Secret> {
  const { backup } = repositoryOf(cluster);
  const own = hostCertificate(secret('pgbackrest-tls'), SCRATCH_CLIENT, { dns: [] });
  const source: Options =
    backup.s3 !== undefined || backup.host === host.name
      ? location(backup, secret, folder)
      : {
          'repo1-host': repositoryOf(cluster).host.address,
          'repo1-host-type': 'tls',
          'repo1-host-ca-file': `${folder}/authority.crt`,
          'repo1-host-cert-file': `${folder}/host.crt`,
          'repo1-host-key-file': `${folder}/host.key`,
        };
  const sections = [
    section('global', { ...source, 'process-max': 2, 'log-level-file': 'off' }),
    section(stanzaOf(cluster), { 'pg1-path': `${folder}/data` }),
  ];
  return new Map<string, string | Secret>([
    ['pgbackrest.conf', render({ sections })],
    ['authority.crt', own.authority],
    ['host.crt', own.certificate],
    ['host.key', own.key],
    ...(backup.s3?.ca === undefined ? [] : [[BUCKET_AUTHORITY, backup.s3.ca] as const]),
  ]);
}

/** Where the repository is, for who reaches it himself, and what it is encrypted by. */
function location(backup: Backup, secret: Site['secret'], folder: string): Options {
  return {
    ...(backup.s3 === undefined ? {} : bucketOptions(backup.s3, secret, folder)),
    'repo1-path': backup.path,
    'repo1-cipher-type': 'aes-256-cbc',
    'repo1-cipher-pass': secret('pgbackrest-cipher'),
  };
}

type Options = Readonly<Record<string, string | number | Secret | readonly string[]>>;

function section(name: string, options: Options): ConfigSection {
  return {
    name,
    options: Object.entries(options).flatMap(([key, value]) =>
      (Array.isArray(value)
        ? (value as readonly string[])
        : [value as string | number | Secret]
      ).map((each) => ({ key, value: typeof each === 'number' ? String(each) : each })),
    ),
  };
}

/** Of a keeper: only it knows the passphrase, what is pushed to it is encrypted there. Of a bucket: on each host. */
function repository(site: Site): Options {
  const { backup } = repositoryOf(site.cluster);
  return {
    ...location(backup, (name) => site.secret(name), FOLDER),
    'repo1-retention-full': backup.keep,
    'repo1-bundle': 'y',
    // In Debian 12's 2.45 it is still a trial.
    ...(site.facts.debian >= 13 ? { 'repo1-block': 'y' } : {}),
  };
}

function remoteRepository(cluster: Cluster): Options {
  return remote('repo1', repositoryOf(cluster).host);
}

function remote(prefix: string, host: Host): Options {
  return {
    [`${prefix}-host`]: host.address,
    [`${prefix}-host-type`]: 'tls',
    [`${prefix}-host-ca-file`]: AUTHORITY,
    [`${prefix}-host-cert-file`]: CERTIFICATE,
    [`${prefix}-host-key-file`]: KEY,
  };
}

/** Every database host, in the inventory's order, so that the archive goes on whichever is the primary. */
function databases(site: Site): Options {
  const { cluster, host } = site;
  const all = databaseHosts(cluster).map((database, i) => {
    const prefix = `pg${String(i + 1)}`;
    return {
      ...(database.name === host.name ? {} : remote(prefix, database)),
      ...ownDatabase({ facts: site.factsOf(database) }, i + 1),
    };
  });
  return Object.assign({}, ...all) as Options;
}

function ownDatabase({ facts }: Pick<Site, 'facts'>, number: number): Options {
  return {
    [`pg${String(number)}-path`]: dataFolder(versionOf({ facts })),
    [`pg${String(number)}-socket-path`]: '/var/run/postgresql',
  };
}

/** Half of the cores: compressing must leave the database its own. */
function processes({ facts }: Site): number {
  return Math.max(1, Math.min(8, Math.floor(facts.cores / 2)));
}

/** Who may come in over TLS, by the names of their certificates. */
function clientsOf({ cluster, host }: Site): readonly string[] {
  const repositoryHost = backupHost(cluster);
  if (repositoryHost === undefined) return [];
  if (repositoryHost.name !== host.name) return [repositoryHost.name];
  const others = databaseHosts(cluster).filter(({ name }) => name !== host.name);
  return [...others.map(({ name }) => name), ...(others.length > 0 ? [SCRATCH_CLIENT] : [])];
}

function tlsServer(site: Site): Options {
  const clients = clientsOf(site);
  if (clients.length === 0) return {};
  const { cluster, host } = site;
  return {
    'tls-server-address': host.address,
    'tls-server-ca-file': AUTHORITY,
    'tls-server-cert-file': CERTIFICATE,
    'tls-server-key-file': KEY,
    'tls-server-auth': clients.map((name) => `${name}=${stanzaOf(cluster)}`),
  };
}
