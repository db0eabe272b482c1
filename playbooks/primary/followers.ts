import { finishAll } from '../../src/concurrency/finish-all.js';
import { REPLICATION_USER } from '../../src/postgres/layout.js';
import { awaitStreaming } from './await-streaming.js';
import { replicationClosed } from './replication-login.js';
import { startAsStandby } from './start-server.js';
import { follow, type Mover } from './steps.js';

export interface Followers {
  /** Standbys that run. */
  readonly running: readonly string[];
  /** Hosts whose data is a standby's and that are stopped: they are started. */
  readonly stopped?: readonly string[];
}

/**
 * Lets the others follow the new primary, and tells of each whether it does. Where the role by which they log in is closed there,
 * none can before the apply that ends every move has opened it: that is told, and they are not waited for, since that apply waits
 * for them itself.
 * @param primary takes writes already
 * @throws Failure command-failed where one does not follow
 */
export async function leadFollowers(
  mover: Mover,
  primary: string,
  { running, stopped = [] }: Followers,
): Promise<void> {
  const all = [...running, ...stopped];
  if (all.length === 0) return;
  const looked = replicationClosed(mover, primary);
  const awaited = async (hosts: readonly string[]): Promise<void> => {
    if ((await looked) === '') await awaitStreaming(mover, hosts);
  };
  await finishAll([
    looked.then((closed) => {
      if (closed === '') return;
      mover.tell(
        primary,
        `the role ${REPLICATION_USER} lets nobody in (${closed}): ${all.join(', ')} can only follow once the apply that ends this has opened it`,
      );
    }),
    follow(mover, running).then(() => awaited(running)),
    ...stopped.map((host) => startAsStandby(mover, host).then(() => awaited([host]))),
  ]);
}
