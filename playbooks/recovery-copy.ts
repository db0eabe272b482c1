import { Failure } from '../src/failure/failure.js';
import {
  backupHost,
  databaseHosts,
  type Backup,
  type Cluster,
  type Host,
} from '../src/inventory/cluster.js';
import { putRecoveryCopy } from '../src/postgres/repository-files.js';
import {
  createRecoveryKey,
  fingerprintOf,
  RECOVERY_RECIPIENT,
  sealSecrets,
  type SecretStore,
} from '../src/secrets/index.js';
import { Secret, strict } from '../src/shell/index.js';
import { readState, writeState } from '../src/state/cluster-state.js';
import { classifyCommandFailure, type Session } from '../src/transport/index.js';
import { placeOf } from './repository.js';

/** Prints a new recovery key, the only time that it is seen. */
export type ShowKey = (identity: Secret) => void;

/**
 * Puts a copy of the secrets beside the backups, where what is there is not of these secrets. A new recovery key is
 * made where there is none and it can be shown: shown when the copy that it opens is in its place, and only then
 * remembered, so that a run that is killed in between makes another one.
 * @param changed something was changed in this run: what is on the host is not known any more
 * @throws Failure when the copy cannot be written
 */
export async function keepRecoveryCopy(
  cluster: Cluster,
  secrets: SecretStore,
  sessions: ReadonlyMap<string, Session>,
  options: { readonly changed: boolean; readonly showKey?: ShowKey | undefined },
): Promise<void> {
  const { backup } = cluster.postgres;
  if (backup === undefined) return;
  // Every database host can write into a bucket, whichever is the primary now.
  const writers = backup.s3 === undefined ? [backupHost(cluster)] : databaseHosts(cluster);
  const keeper = writers.find((host) => host !== undefined && sessions.has(host.name));
  const session = keeper && sessions.get(keeper.name);
  if (keeper === undefined || session === undefined) return;
  const all = new Map(secrets.names().map((name) => [name, secrets.get(name)]));
  const recipient = all.get(RECOVERY_RECIPIENT)?.reveal();
  const key = recipient === undefined && options.showKey ? await createRecoveryKey() : undefined;
  const to = recipient ?? key?.recipient;
  if (to === undefined) return;
  all.set(RECOVERY_RECIPIENT, new Secret(to));
  const fingerprint = fingerprintOf(all);
  const copied = readState(cluster.file).recoveryCopy;
  const where = backup.s3 === undefined ? keeper.name : placeOf(backup);
  const same = copied?.fingerprint === fingerprint && copied.host === where;
  if (same && !options.changed) return;
  const answer = await session.run(
    strict(putRecoveryCopy(backup, new Secret(await sealSecrets(all, to)))),
    { limit: 60 },
  );
  if (answer.code !== 0)
    throw notWritten(keeper, backup, classifyCommandFailure(keeper.name, undefined, answer));
  if (key !== undefined) {
    options.showKey?.(key.identity);
    secrets.set(RECOVERY_RECIPIENT, new Secret(key.recipient));
    await secrets.save();
  }
  writeState(cluster.file, {
    ...readState(cluster.file),
    recoveryCopy: { fingerprint, host: where },
  });
}

function notWritten(keeper: Host, { s3 }: Backup, cause: Failure): Failure {
  const where = s3 === undefined ? `beside the backups on ${keeper.name}` : 'into the bucket';
  const remedy =
    s3 === undefined
      ? 'see to the space in the repository there, then run odoo-prov apply again'
      : cause.details.remedy;
  return new Failure({
    ...cause.details,
    message: `the copy of the secrets could not be put ${where}: ${cause.message}`,
    remedy,
  });
}
