import { Failure } from '../src/failure/failure.js';
import { backupHost, type Cluster, type Host } from '../src/inventory/cluster.js';
import { repositoryOf } from '../src/postgres/pgbackrest.js';
import {
  createRecoveryKey,
  fingerprintOf,
  RECOVERY_RECIPIENT,
  sealSecrets,
  type SecretStore,
} from '../src/secrets/index.js';
import { base64, Secret, sh, type Script } from '../src/shell/index.js';
import { readState, writeState } from '../src/state/cluster-state.js';
import { classifyCommandFailure, type Session } from '../src/transport/index.js';

/** The copy of a cluster's secrets beside its backups, encrypted to the recovery key. */
export function recoveryCopyPath(cluster: Cluster): string {
  return `${repositoryOf(cluster).backup.path}/odoo-prov-recovery.age`;
}

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
  const keeper = backupHost(cluster);
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
  const same = copied?.fingerprint === fingerprint && copied.host === keeper.name;
  if (same && !options.changed) return;
  const answer = await session.run(writeScript(cluster, await sealSecrets(all, to)), { limit: 60 });
  if (answer.code !== 0)
    throw notWritten(keeper, classifyCommandFailure(keeper.name, undefined, answer));
  if (key !== undefined) {
    options.showKey?.(key.identity);
    secrets.set(RECOVERY_RECIPIENT, new Secret(key.recipient));
    await secrets.save();
  }
  writeState(cluster.file, {
    ...readState(cluster.file),
    recoveryCopy: { fingerprint, host: keeper.name },
  });
}

/** As a secret: it goes over stdin, not in a command line. */
function writeScript(cluster: Cluster, text: string): Script {
  const path = recoveryCopyPath(cluster);
  return sh`(
umask 077
printf %s ${base64(new Secret(text))} | base64 -d >${`${path}.new`}
chown postgres:postgres ${`${path}.new`}
sync ${`${path}.new`}
mv -f ${`${path}.new`} ${path}
)`;
}

function notWritten(keeper: Host, cause: Failure): Failure {
  return new Failure({
    ...cause.details,
    message: `the copy of the secrets could not be put beside the backups on ${keeper.name}: ${cause.message}`,
    remedy: 'see to the space in the repository there, then run odoo-prov apply again',
  });
}
