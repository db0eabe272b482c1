import type { Moment } from '../../src/failover-test/judge-copy.js';
import type { StoredRow } from '../../src/failover-test/ledger.js';
import { Failure } from '../../src/failure/failure.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import { waitForArchive } from '../../src/postgres/restore-script.js';
import { lsnOf } from '../../src/postgres/repository-info.js';
import { removeScratch, SCRATCH, scratchQuery } from '../../src/postgres/scratch-script.js';
import { literal, PSQL } from '../../src/resource/postgres-sql.js';
import { openSecrets } from '../../src/secrets/index.js';
import { sh, type Script } from '../../src/shell/index.js';
import { restoreOnScratch, sameVersion, scratchHost } from '../scratch.js';
import type { Hosts } from './hosts.js';
import { parseStoredRows, STORED_ROWS, TABLE } from './table.js';
import type { Trial } from './trial.js';

/*
 * Copies of the database at moments of the test, on a host that has nothing to do with it. What is made for them is gone
 * when the test ends: a copy by the test itself, or by a timer on its host; the moments are named in the WAL only.
 */

/** Seconds after which a copy is removed by its host, where a run was killed. A large database takes hours. */
const REMOVE_SECONDS = 12 * 3600;
const REMOVE_UNIT = 'odoo-prov-failover-test-copy';
const FOLDER = '/var/lib/odoo-prov/failover-test-copy';
/** Seconds for the archive to take the segment of a moment. */
const ARCHIVE_SECONDS = 200;

/** Why no copy can be made; undefined when one can. Connects to its host. */
export async function whyNoCopy({
  cluster,
  hosts,
  scratch,
}: Pick<Trial, 'cluster' | 'hosts' | 'scratch'>): Promise<string | undefined> {
  try {
    const host = scratchHost(cluster, scratch);
    sameVersion(cluster, host);
    await hosts.connect([host]);
    const found = await hosts.run(
      host.name,
      sh`if [ -e ${SCRATCH} ] && ! [ -e ${FOLDER} ]; then echo copy; fi`,
    );
    return found === ''
      ? undefined
      : `${host.name} has a copy already: odoo-prov restore FILE --on ${host.name} --discard-old removes it`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { host, message, expected } = error.details;
    return [host, message, expected].filter((part) => part !== undefined).join(': ');
  }
}

/**
 * Gives a moment at which no client of the test is in the middle of a write a name, and waits until the archive holds it.
 * @param host the primary
 * @param when for people: `before the switchover`
 */
export async function nameMoment(
  hosts: Hosts,
  host: Host,
  { odoo }: Cluster,
  name: string,
  when: string,
): Promise<Moment> {
  // For this lock each write is waited for, and the next ones wait for its end: some milliseconds.
  const sql = `begin;
set local lock_timeout = '10s';
lock table ${TABLE} in share mode;
select lsn || ' ' || ('x' || left(pg_walfile_name(lsn), 8))::bit(32)::int
from (select pg_create_restore_point(${literal(name)}) as lsn offset 0) p;
commit;
select pg_walfile_name(pg_switch_wal());`;
  const answer = await hosts.run(
    host.name,
    sh`
${PSQL}
answer=$(printf '%s\n' ${sql} | psql_as_postgres ${odoo.database})
segment=$(printf '%s\n' "$answer" | tail -n 1)
${waitForArchive}
printf '%s\n' "$answer" | head -n 1`,
    ARCHIVE_SECONDS,
  );
  const [lsn = '', timeline = ''] = answer.split(' ');
  return { name, when, lsn: lsnOf(lsn), timeline: Number(timeline) };
}

/** What a copy has: the test's rows, and the last line of its timeline history. */
export interface Copy {
  readonly host: string;
  readonly rows: readonly StoredRow[];
  readonly left: string;
}

/** Restores to a moment on a host of its own, reads the copy, and removes it whatever happens. @throws Failure */
export async function copyOf(trial: Trial, moment: Moment): Promise<Copy> {
  const { cluster, hosts, connect } = trial;
  const host = scratchHost(cluster, trial.scratch);
  const store = await openSecrets(cluster.file, { dryRun: true });
  trial.mark('step', host.name, `gets a copy of the moment ${moment.when}, ${moment.name}`);
  await hosts.run(host.name, armRemoval());
  try {
    await restoreOnScratch(
      cluster,
      { type: 'name', name: moment.name },
      {
        ...{ connect, on: host.name, failoverTest: hosts.test, secret: (name) => store.get(name) },
        points: [{ ...moment, at: Date.now() / 1000 }],
        tell: (line) => {
          const [at = host.name, what] = line.split(/: (.*)/s);
          trial.mark('step', what === undefined ? host.name : at, what ?? line);
        },
        progress: () => undefined,
      },
    );
    const { database } = cluster.odoo;
    const way = await hosts.run(host.name, scratchQuery(database, HISTORY), 60);
    const rows = await hosts.run(host.name, scratchQuery(database, STORED_ROWS), 300);
    return {
      host: host.name,
      rows: parseStoredRows(rows),
      left: way.trim().split('\n').at(-1) ?? '',
    };
  } finally {
    await hosts.run(host.name, removeNow(), 900);
    trial.mark('step', host.name, 'the copy is removed');
  }
}

/** The history of the timeline that the copy is on: a line for each that it comes from. */
const HISTORY = `select pg_read_file('pg_wal/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '.history');`;

function armRemoval(): Script {
  return sh`
mkdir -p -m 0700 ${FOLDER}
cat >${FOLDER}/remove.sh <<'SH'
set -eu
${removeScratch()}
rm -rf ${FOLDER}
# Where somebody did not wait for it.
systemctl stop ${REMOVE_UNIT}.timer
SH
systemctl stop ${REMOVE_UNIT}.timer 2>/dev/null || :
systemctl reset-failed ${REMOVE_UNIT}.service 2>/dev/null || :
systemd-run --quiet --collect --unit=${REMOVE_UNIT} --on-active=${REMOVE_SECONDS} /bin/sh ${FOLDER}/remove.sh`;
}

function removeNow(): Script {
  return sh`
${removeScratch()}
systemctl stop ${REMOVE_UNIT}.timer 2>/dev/null || :
rm -rf ${FOLDER}`;
}
