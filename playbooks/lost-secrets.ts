import { Failure } from '../src/failure/failure.js';
import type { Cluster, Host, S3Bucket } from '../src/inventory/cluster.js';
import { fetchRecoveryCopy } from '../src/postgres/bucket-recovery.js';
import { RECOVERY_COPY } from '../src/postgres/repository-files.js';
import { openSealed } from '../src/secrets/index.js';
import { sh, type Secret } from '../src/shell/index.js';
import { readTemplates } from '../src/template/package-files.js';
import { renderTemplate } from '../src/template/render.js';
import { installPackages } from './install-packages.js';
import type { Procedure } from './procedure.js';
import { needRepository, placeOf } from './repository.js';

const WITHOUT =
  'without this copy only the secrets file of the machine that applied brings the cluster back';

/** By what secrets are brought back that are lost. */
export interface LostSecrets {
  /** The recovery key. */
  readonly key: Secret;
  /** What the operator has set all the same: the key of a bucket. */
  readonly given: (name: string) => Secret;
  /** Keeps what the copy holds. */
  readonly keep: (copy: ReadonlyMap<string, Secret>) => Promise<void>;
}

/**
 * The secrets of a cluster from the copy beside its backups. With a bucket, the future primary is made able to read it:
 * the operator's machine may not reach the store at all.
 * @param procedure is connected to that host
 * @throws Failure when there is no copy, or the key does not open it
 */
export async function bringSecretsBack(
  procedure: Pick<Procedure, 'ask' | 'step' | 'lock' | 'unlock'>,
  cluster: Cluster,
  { key, given, keep }: LostSecrets,
): Promise<void> {
  const { backup, host } = needRepository(cluster);
  const { path, s3 } = backup;
  const fetchFrom = async (bucket: S3Bucket): Promise<string> => {
    await installReader(procedure, host);
    const template = readTemplates().get('backup/pgbackrest.conf.hbs') ?? '';
    const script = fetchRecoveryCopy(bucket, path, given, (data) => renderTemplate(template, data));
    return inBucket(() => procedure.ask(host, script));
  };
  const text =
    s3 === undefined
      ? await procedure.ask(host, sh`cat ${`${path}/${RECOVERY_COPY}`}`, { remedy: WITHOUT })
      : await fetchFrom(s3);
  const where = s3 === undefined ? `${path} on ${host.name}` : placeOf(backup);
  if (text.trim() === '') {
    throw new Failure({
      reason: 'refused',
      host: host.name,
      message: 'there is no copy of the secrets beside the backups',
      expected: `${RECOVERY_COPY} in ${where}`,
      found: 'nothing of that name',
      remedy: `compare postgres.backup in the inventory (bucket, path) with what it was; ${WITHOUT}`,
    });
  }
  await keep(await openSealed(text, key, `${RECOVERY_COPY} in ${where}`));
}

async function installReader(
  procedure: Pick<Procedure, 'step' | 'lock' | 'unlock'>,
  host: Host,
): Promise<void> {
  await procedure.lock([host]);
  try {
    const install = installPackages(['pgbackrest', 'ca-certificates']);
    await procedure.step(host, 'installing what reads the bucket', install, { limit: 3600 });
  } finally {
    await procedure.unlock();
  }
}

/**
 * Looks into a bucket for hosts that are bare. What does not work there is not mended by `apply`, as it is elsewhere:
 * that would make a new database, and empty.
 * @throws Failure with what to do instead
 */
export async function inBucket<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof Failure) || error.reason !== 'command-failed') throw error;
    const remedy =
      'correct it: the key (odoo-prov secrets FILE set s3-key, and s3-secret) or postgres.backup.s3 in the inventory; then run the same command again';
    throw new Failure({ ...error.details, remedy });
  }
}
