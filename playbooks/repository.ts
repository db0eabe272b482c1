import { Failure } from '../src/failure/failure.js';
import { databaseHosts, type Backup, type Cluster, type Host } from '../src/inventory/cluster.js';
import { repositoryOf } from '../src/postgres/pgbackrest.js';
import type { Recoverable } from '../src/postgres/recovery-plan.js';
import { parseRepository } from '../src/postgres/repository-answer.js';
import { repositoryQuestion } from '../src/postgres/repository-files.js';
import { PSQL } from '../src/resource/postgres-sql.js';
import { sh } from '../src/shell/index.js';
import type { Procedure } from './procedure.js';

/** The repository of a cluster. @throws Failure usage where its inventory has none */
export function needRepository(cluster: Cluster): { readonly backup: Backup; readonly host: Host } {
  if (cluster.postgres.backup !== undefined) return repositoryOf(cluster);
  throw new Failure({
    reason: 'usage',
    message: 'this cluster has no backups',
    expected: 'postgres: { backup: { host: … } } in its inventory, or s3',
    remedy: 'docs/backup.md says how to set them up',
  });
}

/**
 * Connects to a host that can read the repository: the one that keeps it or, with a bucket, the first database host
 * that answers.
 * @throws Failure of the first where none can be reached
 */
export async function connectReader(procedure: Procedure, cluster: Cluster): Promise<Host> {
  const { backup, host } = needRepository(cluster);
  const hosts = backup.s3 === undefined ? [host] : databaseHosts(cluster);
  const reached = await connectAny(procedure, hosts);
  return reached[0] ?? host;
}

/**
 * Connects to the host that makes backups: the one that keeps them or, with a bucket, the primary. A standby that is
 * away is in nobody's way.
 * @throws Failure where it cannot be told or reached
 */
export async function connectMaker(procedure: Procedure, cluster: Cluster): Promise<Host> {
  const { backup, host } = needRepository(cluster);
  if (backup.s3 === undefined) {
    await procedure.connect([host]);
    return host;
  }
  const { writers, silent } = await seeWriters(procedure, cluster);
  const [primary] = writers;
  if (primary !== undefined && writers.length === 1) return primary;
  throw new Failure({
    reason: 'refused',
    message: 'a backup into a bucket is made by the primary, and there is not one of it',
    expected: 'one database host that takes writes',
    found: [writers.map(({ name }) => name).join(', ') || 'none', ...silent].join('\n'),
    remedy: 'odoo-prov status FILE shows the database hosts',
  });
}

/** Which database hosts take writes, and of those that said nothing why: it may be why there is none. */
export async function seeWriters(
  procedure: Procedure,
  cluster: Cluster,
): Promise<{ readonly writers: readonly Host[]; readonly silent: readonly string[] }> {
  const hosts = databaseHosts(cluster);
  const answers = await Promise.allSettled(
    hosts.map(async (each) => {
      await procedure.connect([each]);
      return takesWrites(procedure, each);
    }),
  );
  const writers = hosts.filter((_, i) => {
    const answer = answers[i];
    return answer?.status === 'fulfilled' && answer.value;
  });
  const silent = answers.flatMap((answer, i) => {
    if (answer.status === 'fulfilled') return [];
    if (!(answer.reason instanceof Failure)) throw answer.reason;
    return [`${hosts[i]?.name ?? ''}: ${answer.reason.message}`];
  });
  return { writers, silent };
}

/** Whether the server of a connected host takes writes. */
export async function takesWrites(procedure: Pick<Procedure, 'ask'>, host: Host): Promise<boolean> {
  return (await procedure.ask(host, WRITES)).trim() === 'yes';
}

const WRITES = sh`
${PSQL}
[ "$(echo 'select pg_is_in_recovery()' | psql_as_postgres postgres 2>/dev/null)" != f ] || echo yes`;

/** Connects to those that answer. @throws Failure of the first where none does */
async function connectAny(procedure: Procedure, hosts: readonly Host[]): Promise<readonly Host[]> {
  const ends = await Promise.allSettled(hosts.map((host) => procedure.connect([host])));
  const reached = hosts.filter((_, i) => ends[i]?.status === 'fulfilled');
  const lost = ends.find((end) => end.status === 'rejected');
  if (reached.length === 0 && lost !== undefined) throw lost.reason;
  return reached;
}

/**
 * Everything that can be restored, in one question.
 * @param host a connected one that can read it; the one of {@link needRepository} if not given
 * @throws Failure
 */
export async function readRepository(
  procedure: Procedure,
  cluster: Cluster,
  host = needRepository(cluster).host,
): Promise<Recoverable> {
  const { backup } = needRepository(cluster);
  const answer = await procedure.ask(host, repositoryQuestion(cluster, 'all'));
  try {
    return parseRepository(answer);
  } catch (cause) {
    throw new Failure({
      reason: 'command-failed',
      host: host.name,
      message: `the repository in ${placeOf(backup)} cannot be used`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy:
        backup.s3 === undefined
          ? 'odoo-prov apply makes it; /var/log/pgbackrest/ on this host says more'
          : 'odoo-prov apply asks the bucket and says why; /var/log/pgbackrest/ on this host says more',
      cause,
    });
  }
}

/** Where a repository is, for people: its folder, or its bucket. */
export function placeOf({ path, s3 }: Backup): string {
  return s3 === undefined ? path : `the bucket ${s3.bucket} at ${s3.endpoint}, in ${path}`;
}
