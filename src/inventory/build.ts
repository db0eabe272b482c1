import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import type { Cluster, Host, OdooSource, S3Bucket, SshOptions } from './cluster.js';
import type { Input, SshInput } from './schema.js';
import { bytesOf } from './values.js';

const NIGHTLY = '*-*-* 01:00:00';
/** The words for schedules as systemd's OnCalendar. */
const FULL: Readonly<Record<string, string>> = { weekly: 'Sun *-*-* 01:00:00', daily: NIGHTLY };
const DIFF: Readonly<Record<string, string>> = { weekly: 'Mon..Sat *-*-* 01:00:00' };

/** What the inventory's text cannot say: where it is, and what is in the files that it names. */
export interface Place {
  /** Absolute path of the inventory file. */
  readonly file: string;
  /** Absolute path of the operator's home folder. */
  readonly home: string;
  /** The text of a file, or why it cannot be read. */
  read(path: string): { readonly text: string } | { readonly problem: string };
}

/** A path of the inventory as an absolute one: `~` is the home folder, the rest is relative to the file. */
export function absolutePath(given: string, place: Place): string {
  if (given === '~' || given.startsWith('~/')) return join(place.home, given.slice(1));
  return isAbsolute(given) ? given : join(dirname(place.file), given);
}

/** The file's name as a cluster's: lower case, letters, digits and hyphens. */
function nameOf(file: string): string {
  const name = basename(file, extname(file))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 40);
  return name === '' ? 'cluster' : name;
}

/** A host's own keys over the inventory's. */
function sshOptions(shared: SshInput, own: SshInput, place: Place): SshOptions {
  const {
    user,
    port,
    key,
    jump,
    become,
    known_hosts: knownHosts,
    host_key: hostKey,
  } = {
    ...shared,
    ...own,
  };
  return {
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    ...(key === undefined ? {} : { key: absolutePath(key, place) }),
    ...(jump === undefined ? {} : { jump }),
    ...(knownHosts === undefined ? {} : { knownHosts: absolutePath(knownHosts, place) }),
    become: become ?? (user !== undefined && user !== 'root'),
    hostKey: hostKey ?? 'strict',
  };
}

function hostsOf(input: Input, place: Place): Host[] {
  return Object.entries(input.hosts).map(([name, host]) => ({
    name,
    address: host.address,
    roles: host.roles ?? [],
    weight: host.weight ?? 1,
    ...(host.memory === undefined ? {} : { memory: bytesOf(host.memory) }),
    ...(host.cores === undefined ? {} : { cores: host.cores }),
    ...(host.disk === undefined ? {} : { disk: host.disk }),
    ssh: sshOptions(input.ssh ?? {}, host.ssh ?? {}, place),
  }));
}

function sourceOf(given: NonNullable<Input['odoo']>['source'], place: Place): OdooSource {
  if (given === undefined || given === 'nightly') return { type: 'nightly' };
  if (given.apt === undefined) return { type: 'debian' };
  const { uri, suite, components, key, package: name } = given.apt;
  const found = place.read(absolutePath(key, place));
  return {
    type: 'apt',
    uri,
    suite: suite ?? './',
    components: components ?? [],
    key: 'text' in found ? found.text : '',
    package: name ?? 'odoo',
  };
}

function edgeOf(input: Input, place: Place): Cluster['edge'] {
  const { balance, tls, max_body: maxBody } = input.edge ?? {};
  return {
    balancer: 'nginx',
    balance: balance ?? 'round-robin',
    tls:
      tls === undefined || tls === 'self-signed'
        ? 'self-signed'
        : {
            certificate: absolutePath(tls.certificate, place),
            key: absolutePath(tls.key, place),
          },
    maxBody: maxBody ?? '128m',
  };
}

function filestoreOf(input: Input): Cluster['filestore'] {
  const type = input.filestore?.type ?? 'local';
  const path = input.filestore?.path ?? (type === 'local' ? '/var/lib/odoo' : '/srv/odoo');
  return { type, path };
}

function postgresOf(input: Input, place: Place, name: string): Cluster['postgres'] {
  const { replication, reporting, lone_start: loneStart, settings } = input.postgres ?? {};
  return {
    replication: {
      synchronous: replication?.synchronous ?? 'off',
      onStandbyLoss: replication?.on_standby_loss ?? 'block',
      maxLag: bytesOf(replication?.max_lag ?? '16MB'),
    },
    loneStart: loneStart ?? 'wait',
    settings: settings ?? {},
    ...(reporting !== undefined && {
      reporting: {
        from: reporting.from.map((from) => (from.includes('/') ? from : `${from}/32`)),
        connections: reporting.connections ?? 10,
      },
    }),
    ...backupOf(input, place, name),
  };
}

function backupOf(input: Input, place: Place, name: string): Pick<Cluster['postgres'], 'backup'> {
  const given = input.postgres?.backup;
  if (given === undefined) return {};
  const full = given.full ?? 'weekly';
  const diff = given.diff ?? (full === 'daily' ? 'off' : 'daily');
  const filestore = given.filestore ?? 'hourly';
  return {
    backup: {
      ...(given.host === undefined ? {} : { host: given.host }),
      ...(given.s3 === undefined ? {} : { s3: bucketOf(given.s3, place) }),
      full: FULL[full] ?? full,
      // Not on the day of the weekly full backup, at the same time.
      ...(diff === 'off' ? {} : { diff: diff !== 'daily' ? diff : (DIFF[full] ?? NIGHTLY) }),
      ...(filestore === 'off' ? {} : { filestore }),
      keep: given.keep ?? 2,
      path: given.path ?? (given.s3 === undefined ? '/var/lib/pgbackrest' : `/${name}`),
    },
  };
}

type BucketInput = NonNullable<NonNullable<NonNullable<Input['postgres']>['backup']>['s3']>;

function bucketOf(given: BucketInput, place: Place): S3Bucket {
  const [endpoint = '', port] = given.endpoint.split(':');
  const ca = given.ca === undefined ? undefined : place.read(absolutePath(given.ca, place));
  return {
    endpoint,
    port: port === undefined ? 443 : Number(port),
    bucket: given.bucket,
    region: given.region,
    uriStyle: given.uri_style ?? 'path',
    ...(ca !== undefined && 'text' in ca ? { ca: ca.text } : {}),
  };
}

/** Synchronous replication promises to lose nothing; else the last moments may be lost. */
function failoverTestOf(input: Input): Cluster['failoverTest'] {
  const { rto, rpo, gap, failed_requests: failedRequests } = input.failover_test ?? {};
  const synchronous = input.postgres?.replication?.synchronous ?? 'off';
  return {
    rto: rto ?? 60,
    rpo: rpo ?? (synchronous === 'off' ? 5 : 0),
    // A new connection through another host, and what a person takes for a slow page rather than for an outage.
    gap: gap ?? 5,
    // Those that a dying host had just taken: a POST is never sent again.
    failedRequests: failedRequests ?? 3,
  };
}

/** The typed cluster of an inventory in which no mistake was found, every default filled in. */
export function buildCluster(input: Input, place: Place): Cluster {
  const name = input.cluster ?? nameOf(place.file);
  const hosts = hostsOf(input, place);
  const withRedis = hosts.some(({ roles }) => roles.includes('redis'));
  const odoo = input.odoo ?? {};
  return {
    name,
    file: place.file,
    odoo: {
      version: odoo.version ?? '19.0',
      source: sourceOf(odoo.source, place),
      database: odoo.database ?? 'odoo',
      domain: odoo.domain ?? `${name}.example`,
      users: odoo.users ?? 50,
      sessions: odoo.sessions ?? (withRedis ? 'redis' : 'files'),
      languages: odoo.languages ?? [],
      settings: odoo.settings ?? {},
    },
    postgres: postgresOf(input, place, name),
    pgbouncer: {
      poolMode: input.pgbouncer?.pool_mode ?? 'session',
      maxClientConn: input.pgbouncer?.max_client_conn ?? 10_000,
      settings: input.pgbouncer?.settings ?? {},
    },
    redis: { settings: input.redis?.settings ?? {} },
    edge: edgeOf(input, place),
    filestore: filestoreOf(input),
    failoverTest: failoverTestOf(input),
    hosts,
  };
}
