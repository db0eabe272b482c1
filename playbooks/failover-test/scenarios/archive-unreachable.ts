import { assertion } from '../../../src/failover-test/check.js';
import { backupHost, type Host } from '../../../src/inventory/cluster.js';
import { repositoryOf, stanzaOf } from '../../../src/postgres/pgbackrest.js';
import { sh } from '../../../src/shell/index.js';
import { unitDown } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

/** Seconds for the archive to catch up when it is back. */
const CATCH_UP_SECONDS = 120;

/** The host of the archive takes no WAL for a while. Writes go on, and nothing of it is missing afterwards. */
export const archiveUnreachable: RunnableScenario = {
  name: 'archive-unreachable',
  title: 'the WAL archive takes nothing for a while, and catches up',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  lacks: (cluster) => {
    if (cluster.postgres.backup?.s3 !== undefined)
      return 'a bucket is no host that could be stopped';
    return backupHost(cluster) === undefined ? 'postgres.backup is not set' : undefined;
  },
  expects: () => ({
    kind: 'survives',
    why: 'WAL waits on the primary until the archive is back',
  }),
  run: async (trial) => {
    const { hosts, primary } = trial;
    const backup = backupHost(trial.cluster);
    if (backup === undefined) throw new Error('there is no archive');
    const unit = 'odoo-prov-pgbackrest.service';
    await trial.fault(unitDown(backup, 'archive-unreachable', unit, 'pgBackRest'));
    const segment = await hosts.sql(
      primary.name,
      'postgres',
      'select pg_walfile_name(pg_current_wal_insert_lsn()); select from pg_switch_wal();',
    );
    await trial.wait(8);
    const early = await archived(trial, segment);
    await trial.heal();
    const found = early
      ? `${segment} was archived although pgBackRest was stopped: it goes somewhere else`
      : await foundMissing(trial, backup, segment);
    trial.check(
      assertion(
        'archive.catches-up',
        'the WAL of the outage is in the archive afterwards',
        found === undefined,
        {
          found: found ?? '',
          next: `on ${primary.name}: what does archive_command say in PostgreSQL's log, is pgBackRest as its package has it (dpkg -V pgbackrest), does \`pgbackrest check\` pass? After a gap only a new full backup can be restored to now: odoo-prov backup FILE --type full`,
        },
      ),
    );
  },
};

/** Why a segment is not in the archive in time; undefined when it is. */
async function foundMissing(
  trial: Parameters<RunnableScenario['run']>[0],
  backup: Host,
  segment: string,
): Promise<string | undefined> {
  if (!(await trial.until(CATCH_UP_SECONDS, () => archived(trial, segment)))) {
    return `${segment} is not there after ${CATCH_UP_SECONDS} s`;
  }
  // The server counts what its archive_command said; only the repository itself knows what it has.
  return (await inRepository(trial, backup, segment))
    ? undefined
    : `PostgreSQL says that ${segment} is archived; the repository on ${backup.name} does not have it`;
}

/** Whether the primary says that the archive has a segment. Names of one timeline sort by age. */
function archived(
  trial: Parameters<RunnableScenario['run']>[0],
  segment: string,
): Promise<boolean> {
  return trial.hosts.says(
    trial.primary.name,
    `select coalesce(last_archived_wal >= '${segment}', false) from pg_stat_archiver`,
    't',
  );
}

/** Whether the repository has a file of a segment: pgBackRest adds its checksum to the name. */
async function inRepository(
  { hosts, cluster }: Parameters<RunnableScenario['run']>[0],
  backup: Host,
  segment: string,
): Promise<boolean> {
  const { path } = repositoryOf(cluster).backup;
  const folder = `${path}/archive/${stanzaOf(cluster)}`;
  const name = `${segment}-*`;
  return (await hosts.run(backup.name, sh`find ${folder} -type f -name ${name}`)) !== '';
}
