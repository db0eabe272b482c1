import { databaseHosts, databaseRole } from '../inventory/cluster.js';
import {
  aptPackage,
  check,
  directory,
  file,
  keyOf,
  postgresSettings,
  postgresSlot,
  sysctl,
  unit,
} from '../resource/index.js';
import { NEXT } from '../resource/check.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { archiveClient, archivePackages } from './archive.js';
import { bucketUnits } from './backup-units.js';
import { doorsOf } from './doors.js';
import { GUARDED_START, guardFiles, guardService, isGuarded, LONE_START } from './guard.js';
import {
  PORT,
  REPLICATION_PASS_FILE,
  REPLICATION_USER,
  dataFolder,
  slotOf,
  unitOf,
  versionOf,
} from './layout.js';
import { AHEAD, aheadNext, CANNOT_FOLLOW } from './past-fork.js';
import { gatePackages, replicaGate } from './replica-gate.js';
import { LOG_FOLDER, settingsOf } from './settings.js';
import { standbyLoss } from './standby-loss.js';
import { streamingOrGone } from './wal-gone.js';

/** PostgreSQL's packages, which are kept from making a cluster of their own. */
export function packages(site: Site): readonly Resource[] {
  return [
    // Before the package, which would make a cluster of its own, without checksums.
    directory({ path: '/etc/postgresql-common/createcluster.d' }),
    file({
      path: '/etc/postgresql-common/createcluster.d/50-odoo-prov.conf',
      content:
        '# Written by odoo-prov, which makes the cluster itself.\ncreate_main_cluster = false\n',
    }),
    aptPackage({ name: 'ssl-cert' }),
    aptPackage({ name: `postgresql-${String(versionOf(site))}` }),
    ...archivePackages(site),
    ...gatePackages(site),
  ];
}

/**
 * A database server, whatever it is at the moment: its data, then all that is alike on every database host.
 * @param data what makes the data: a new cluster, or a copy of the primary
 */
export function server(site: Site, data: Resource): readonly Resource[] {
  const version = versionOf(site);
  const doors = file({
    path: `/etc/postgresql/${String(version)}/main/pg_hba.conf`,
    content: site.template('postgres/pg_hba.conf.hbs', { doors: doorsOf(site) }),
    owner: 'postgres',
    group: 'postgres',
    mode: '0640',
  });
  return [
    directory({ path: LOG_FOLDER, owner: 'postgres', group: 'adm', mode: '0750' }),
    // A standby tries the others in turn, and its walreceiver knows no connect_timeout: a dead host costs it 3 s,
    // not two minutes.
    sysctl({ key: 'net.ipv4.tcp_syn_retries', value: 1 }),
    ...passFile(site),
    ...archiveClient(site),
    ...(isGuarded(site) ? guardFiles(site) : []),
    data,
    postgresSettings({ version, settings: settingsOf(site) }),
    doors,
    ...service(site, version, doors),
    ...slots(site),
    ...guardService(site),
    ...standbyLoss(site),
    ...replicaGate(site),
    ...bucketUnits(site),
  ];
}

/** The password with which a standby comes to its primary. */
function passFile(site: Site): readonly Resource[] {
  if (databaseHosts(site.written).length < 2) return [];
  const content = site.template('postgres/pgpass.hbs', {
    port: PORT,
    role: REPLICATION_USER,
    password: site.secret('postgres-replication-password'),
  });
  const owner = { owner: 'postgres', group: 'postgres', mode: '0600' };
  return [file({ path: REPLICATION_PASS_FILE, content, ...owner })];
}

/** A slot for every other database host, wherever the primary is. */
function slots({ written, host }: Site): readonly Resource[] {
  const others = databaseHosts(written).filter(({ name }) => name !== host.name);
  return others.map((other) => postgresSlot(slotOf(other)));
}

function service(site: Site, version: number, doors: Resource): readonly Resource[] {
  const { host } = site;
  const name = unitOf(version);
  const bin = `/usr/lib/postgresql/${String(version)}/bin`;
  const late = file({
    path: `/etc/systemd/system/${name}.d/odoo-prov.conf`,
    content:
      "# Written by odoo-prov: without the network, the host's own address cannot be listened on.\n" +
      '[Unit]\nWants=network-online.target\nAfter=network-online.target\n' +
      (isGuarded(site) ? GUARDED_START : LONE_START),
  });
  return [
    directory({ path: `/etc/systemd/system/${name}.d` }),
    late,
    // postgresql.service starts at boot what start.conf says; the instance itself has no [Install] link.
    unit({ name, running: true, enabled: 'any', reloadFor: [keyOf(doors)], logs: LOG_FOLDER }),
    unit({ name: 'postgresql.service', running: true, enabled: true }),
    check({
      name: 'postgres-answers',
      // Not pg_isready by the address: pg_hba.conf lets nobody in from there, and the log would say so each time.
      command: `cd / && setpriv --reuid=postgres --regid=postgres --init-groups ${bin}/pg_isready -q -h /var/run/postgresql -p ${String(PORT)} && timeout 3 bash -c ': </dev/tcp/${host.address}/${String(PORT)}' && echo yes`,
      expect: 'yes',
      within: 60,
      describes: `PostgreSQL answers on ${host.address}:${String(PORT)}`,
    }),
    ask(version, {
      name: 'postgres-doors',
      sql: "select coalesce((select 'line ' || line_number || ': ' || error from pg_hba_file_rules where error is not null order by line_number limit 1), 'ok')",
      expect: 'ok',
      within: 10,
      describes: 'every line of pg_hba.conf is understood',
    }),
    ...(databaseRole(host) === 'pg-primary' ? [] : [streams(version, site)]),
  ];
}

function streams(version: number, { host: { name }, written }: Site): Resource {
  const hopeless = 'it cannot follow: ';
  const pastFork = `${hopeless}it went past the point where the primary took over${NEXT}odoo-prov rejoin FILE --host ${name} saves the rows that only it has, and takes it back`;
  const paused = `${hopeless}its replay is paused${NEXT}on ${name}, as postgres: select pg_wal_replay_resume()`;
  return ask(version, {
    name: 'postgres-streams',
    sql:
      `select case when ${CANNOT_FOLLOW} then '${pastFork}' ` +
      `when ${AHEAD} then '${hopeless}it has replayed what its primary never wrote${NEXT}${aheadNext(name)}' ` +
      `when not exists (select from pg_stat_wal_receiver) and case when pg_is_in_recovery() then pg_is_wal_replay_paused() end then '${paused}' ` +
      'else (select status from pg_stat_wal_receiver) end',
    expect: 'streaming',
    within: 120,
    hopeless: `${hopeless}*`,
    instead: (look) => streamingOrGone(look, name, dataFolder(version), written),
    describes: 'the standby receives WAL from the primary',
  });
}

/** A health check by one query to the local server. */
function ask(
  version: number,
  options: {
    readonly name: string;
    readonly sql: string;
    readonly expect: string;
    readonly within: number;
    readonly hopeless?: string;
    /** Shell that takes the place of the query's. */
    readonly instead?: (look: string) => string;
    readonly describes: string;
  },
): Resource {
  const { sql, instead = (look: string) => look, ...rest } = options;
  const psql =
    'setpriv --reuid=postgres --regid=postgres --init-groups ' +
    `/usr/lib/postgresql/${String(version)}/bin/psql -XAtq -h /var/run/postgresql -d postgres`;
  return check({ ...rest, command: instead(`cd / && echo "${sql}" | ${psql}`) });
}
