import { backupHost } from '../../../src/inventory/cluster.js';
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
    const before = await archived(trial, segment);
    await trial.heal();
    const caughtUp = await trial.until(CATCH_UP_SECONDS, () => archived(trial, segment));
    trial.check({
      id: 'archive.catches-up',
      ok: caughtUp && !before,
      text: 'the WAL of the outage is in the archive afterwards',
      ...(caughtUp && !before
        ? {}
        : {
            found: before
              ? `${segment} was archived although pgBackRest was stopped: it goes somewhere else`
              : `${segment} is not there after ${CATCH_UP_SECONDS} s`,
            next: `on ${primary.name}: what does archive_command say in PostgreSQL's log, and does \`pgbackrest check\` pass?`,
          }),
    });
  },
};

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
