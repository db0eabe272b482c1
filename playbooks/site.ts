import { readFileSync } from 'node:fs';
import { ROLE_DEFINITIONS } from '../roles/index.js';
import { EXIT } from '../src/failure/failure.js';
import type { Cluster } from '../src/inventory/cluster.js';
import { kinds } from '../src/resource/index.js';
import type { ConvergeOptions } from '../src/run/context.js';
import { closeSessions, converge, type Converged } from '../src/run/converge.js';
import type { Emit, RunRecap } from '../src/run/event.js';
import type { RoleDefinition } from '../src/role/role.js';
import type { SecretStore } from '../src/secrets/index.js';
import { readState, writeState } from '../src/state/cluster-state.js';
import { readTemplates } from '../src/template/package-files.js';
import { createConnector } from '../src/transport/index.js';
import { keepRecoveryCopy, type ShowKey } from './recovery-copy.js';
import { thisRun } from './this-run.js';
import { verify } from './verify.js';

export interface ApplyOptions extends ConvergeOptions {
  /** The secrets of this inventory, opened (as a dry run for `check`). */
  readonly secrets: SecretStore;
  /** None of the cluster's own is among them. */
  readonly secretsAreNew: boolean;
  /** `always`: also when nothing changed. */
  readonly verify: 'always' | 'after-change' | 'never';
  /** Other roles than all: to prepare hosts for something that must be there before the rest. */
  readonly roles?: readonly RoleDefinition[];
  /** The id of the failover-test that applies: its own lock on the hosts does not keep it off. */
  readonly failoverTest?: string;
  /** Shows a recovery key that is made in this run; not given: none is made. */
  readonly showKey?: ShowKey;
}

/**
 * `odoo-prov apply`: converges the chosen hosts, then, when something changed, checks that the cluster
 * really serves.
 * @param emit gets everything that happens, as it happens
 * @throws Failure refused, when going on could cost data; nothing was changed then
 */
export async function apply(
  cluster: Cluster,
  options: ApplyOptions,
  emit: Emit,
): Promise<RunRecap> {
  const { secrets } = options;
  const connector = createConnector();
  let sessions: Converged['sessions'] = new Map();
  try {
    const converged = await converge({
      cluster,
      options,
      emit,
      connector,
      kinds,
      roles: options.roles ?? ROLE_DEFINITIONS,
      templates: readTemplates(),
      given: readGiven(cluster),
      secret: (name) => secrets.get(name),
      secretsAreNew: options.secretsAreNew,
      saveSecrets: () => secrets.save(),
      state: readState(cluster.file),
      saveState: (state) => {
        if (!options.check) writeState(cluster.file, state);
      },
      runner: thisRun(options.failoverTest),
    });
    const { recap } = converged;
    sessions = converged.sessions;
    const changed = recap.changed > 0 && !options.check;
    const serve = options.verify === 'always' || (changed && options.verify !== 'never');
    const whole = recap.failed + recap.unreachable + recap.interrupted === 0;
    if (whole && !options.check && options.roles === undefined) {
      await keepRecoveryCopy(cluster, secrets, sessions, { changed, showKey: options.showKey });
    }
    const checks =
      serve && whole ? await verify(cluster, options.hosts, sessions, secrets, emit) : [];
    const served = checks.every((check) => check.ok);
    const ended = { ...recap, exitCode: served ? recap.exitCode : EXIT.failed };
    emit({ type: 'run-done', recap: ended });
    return ended;
  } finally {
    await closeSessions(sessions);
    await connector.close();
  }
}

/** The files that an inventory names, by path. They were checked to be readable when it was read. */
function readGiven(cluster: Cluster): ReadonlyMap<string, string> {
  const { tls } = cluster.edge;
  if (tls === 'self-signed') return new Map();
  return new Map([tls.certificate, tls.key].map((path) => [path, readFileSync(path, 'utf8')]));
}
