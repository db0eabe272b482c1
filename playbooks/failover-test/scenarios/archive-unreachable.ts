import { assertion } from '../../../src/failover-test/check.js';
import type { Host } from '../../../src/inventory/cluster.js';
import { repositoryOf } from '../../../src/postgres/pgbackrest.js';
import { findSegment } from '../../../src/postgres/repository-files.js';
import { storeUnreachable, unitDown } from '../fault.js';
import type { RunnableScenario } from '../trial.js';
import { withoutNft } from '../without-nft.js';

/** Seconds for the archive to catch up when it is back. */
const CATCH_UP_SECONDS = 120;

const NAME = 'archive-unreachable';

/** The host of the archive, or its bucket, takes no WAL for a while. Writes go on, and nothing of it is missing afterwards. */
export const archiveUnreachable: RunnableScenario = {
  name: NAME,
  title: 'the WAL archive takes nothing for a while, and catches up',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  lacks: ({ postgres }) =>
    postgres.backup === undefined ? 'postgres.backup is not set' : undefined,
  hostLacks: async (trial) =>
    trial.cluster.postgres.backup?.s3 === undefined ? undefined : withoutNft(trial),
  expects: () => ({
    kind: 'survives',
    why: 'WAL waits on the primary until the archive is back',
  }),
  run: async (trial) => {
    const { hosts, primary } = trial;
    const { backup, host: keeper } = repositoryOf(trial.cluster);
    await trial.fault(
      backup.s3 === undefined
        ? unitDown(keeper, NAME, 'odoo-prov-pgbackrest.service', 'pgBackRest')
        : storeUnreachable(primary, NAME, backup.s3.port),
    );
    const segment = await hosts.sql(
      primary.name,
      'postgres',
      'select pg_walfile_name(pg_current_wal_insert_lsn()); select from pg_switch_wal();',
    );
    await trial.wait(8);
    const early = await archived(trial, segment);
    await trial.heal();
    const found = early
      ? `${segment} was archived although the archive could not be reached: it goes somewhere else`
      : await foundMissing(trial, keeper, segment);
    trial.check(
      assertion(
        'archive.catches-up',
        'the WAL of the outage is in the archive afterwards',
        found === undefined,
        {
          found: found ?? '',
          next: `on ${primary.name}: what does archive_command say in PostgreSQL's log, is pgBackRest as its package has it (dpkg -V pgbackrest), does \`pgbackrest check\` pass? What was written after a gap can be restored from the end of the next backup on, of whatever type: odoo-prov backup FILE`,
        },
      ),
    );
  },
};

/** Why a segment is not in the archive in time; undefined when it is. */
async function foundMissing(
  trial: Parameters<RunnableScenario['run']>[0],
  keeper: Host,
  segment: string,
): Promise<string | undefined> {
  if (!(await trial.until(CATCH_UP_SECONDS, () => archived(trial, segment)))) {
    return `${segment} is not there after ${CATCH_UP_SECONDS} s`;
  }
  // The server counts what its archive_command said; only the repository itself knows what it has.
  if (await inRepository(trial, keeper, segment)) return undefined;
  const { s3 } = repositoryOf(trial.cluster).backup;
  const where = s3 === undefined ? `on ${keeper.name}` : `in the bucket ${s3.bucket}`;
  return `PostgreSQL says that ${segment} is archived; the repository ${where} does not have it`;
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

/** Whether the repository has a file of a segment. @param keeper who can read it */
async function inRepository(
  { hosts, cluster }: Parameters<RunnableScenario['run']>[0],
  keeper: Host,
  segment: string,
): Promise<boolean> {
  return (await hosts.run(keeper.name, findSegment(cluster, segment))) !== '';
}
