import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, Failure } from '../../src/failure/failure.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import { keyOf } from '../../src/resource/kind.js';
import { openSecrets } from '../../src/secrets/index.js';
import type { Alert } from '../../src/status/alert.js';
import type { ClusterStatus } from '../../src/status/model.js';
import { judge } from '../../src/status/rules.js';
import type { ConnectOptions } from '../../src/transport/session.js';
import { apply } from '../site.js';
import { StatusLook } from '../status.js';

const CONCURRENCY = 20;

/** A look at the tested hosts, and what is wrong. */
export interface Seen {
  readonly status: ClusterStatus;
  readonly alerts: readonly Alert[];
  readonly problems: readonly Alert[];
}

/** Looks and judges as `status` does. */
export async function look(
  cluster: Cluster,
  hosts: readonly Host[],
  connect: ConnectOptions,
): Promise<Seen> {
  const one = new StatusLook(cluster, { hosts, concurrency: CONCURRENCY, connect });
  try {
    const status = await one.look();
    const { alerts } = judge(status);
    return { status, alerts, problems: alerts.filter(({ severity }) => severity === 'problem') };
  } finally {
    await one.close();
  }
}

export interface Patience {
  /** For the cluster to become healthy. */
  readonly seconds: number;
  /** Ctrl-C. */
  readonly stop: AbortSignal;
  /** From then on, for a cluster that has a primary: what it still lacks may need a person. */
  readonly secondsStopped: number;
  /** Gets a line of what is waited for, where that takes long. */
  readonly tell: (text: string) => void;
}

/** Seconds after which it is told what is waited for, and then again and again. */
const SILENT_SECONDS = 15;
const AGAIN_SECONDS = 30;

/** Looks until nothing is wrong and every standby follows, or the time is over. */
export async function lookUntilHealthy(
  look: () => Promise<Seen>,
  { seconds, stop, secondsStopped, tell }: Patience,
): Promise<Seen> {
  const began = performance.now();
  let stopped: number | undefined;
  let told: { readonly why: 'slow' | 'stopped'; readonly at: number } | undefined;
  for (;;) {
    const seen = await look();
    if (isHealthy(seen)) return seen;
    const now = performance.now();
    if (stop.aborted) stopped ??= now;
    const hasPrimary = seen.status.database.primary !== null;
    const whole = began + seconds * 1000;
    const end =
      stopped !== undefined && hasPrimary
        ? Math.min(whole, stopped + secondsStopped * 1000)
        : whole;
    if (now >= end) return seen;
    const slow = now - began >= SILENT_SECONDS * 1000 ? 'slow' : undefined;
    const why = stopped === undefined ? slow : 'stopped';
    const again = told !== undefined && now - told.at >= AGAIN_SECONDS * 1000;
    if (why !== undefined && (why !== told?.why || again)) {
      const left = Math.max(1, Math.round((end - now) / 1000));
      tell(`waiting ${left} s at most for the cluster to be healthy: ${whatIsWrong(seen)}`);
      told = { why, at: now };
    }
    await sleep(1000);
  }
}

/** Why it is not healthy, in a few words. */
function whatIsWrong({ status, problems }: Seen): string {
  const { members, primary } = status.database;
  const idle = members
    .filter(
      ({ host, state, slot }) =>
        host !== primary && (state !== 'streaming' || slot?.active !== true),
    )
    .map(({ host, state }) => `${host}: ${state}`);
  return [...problems.map(({ message }) => message), ...idle].join('; ');
}

/** No problem, one primary, and all others streaming from it. */
export function isHealthy({ status, problems }: Seen): boolean {
  const { members, primary } = status.database;
  const following = members.every(
    ({ host, state, slot }) => host === primary || (state === 'streaming' && slot?.active === true),
  );
  return problems.length === 0 && primary !== null && following;
}

/**
 * Converges hosts as `apply` does, or only compares.
 * @param how `check`: only compares; else the id of the failover-test that has the hosts
 * @returns what was changed, or would be: `db1: check:wal-archived`, a line a host
 * @throws Failure when a host failed
 */
export async function converge(
  cluster: Cluster,
  hosts: readonly Host[],
  connect: ConnectOptions,
  how: 'check' | { readonly failoverTest: string },
): Promise<readonly string[]> {
  const check = how === 'check';
  const changed = new Map<string, Set<string>>();
  const failed: string[] = [];
  const recap = await apply(
    cluster,
    {
      ...{ check, hosts, connect, concurrency: CONCURRENCY },
      ...(how === 'check' ? {} : how),
      ...{ diff: false, prune: false, restartPrimary: false },
      secrets: await openSecrets(cluster.file, { dryRun: check }),
      stop: new AbortController().signal,
      secretsAreNew: false,
      verify: 'after-change',
    },
    (event) => {
      if (event.type === 'host-failed') failed.push(`${event.host}: ${event.failure.message}`);
      if (event.type !== 'host-planned') return;
      const keys = changed.get(event.host) ?? new Set();
      for (const { resource } of event.changes) keys.add(keyOf(resource));
      changed.set(event.host, keys);
    },
  );
  if (recap.exitCode === EXIT.done) {
    return [...changed].flatMap(([host, keys]) =>
      keys.size === 0 ? [] : [`${host}: ${[...keys].join(', ')}`],
    );
  }
  throw new Failure({
    reason: 'not-converged',
    message: `apply${check ? ' --check' : ''} ended with exit code ${recap.exitCode}`,
    expected: 'every host as the inventory says',
    found: failed.join('; ') || 'no host said why',
    remedy: 'run odoo-prov apply FILE: it says what failed',
  });
}

/** @throws Failure refused: what is not well before cannot be judged afterwards, and must not be broken further */
export async function requireHealthy(
  cluster: Cluster,
  hosts: readonly Host[],
  connect: ConnectOptions,
): Promise<Seen> {
  const seen = await look(cluster, hosts, connect);
  if (!isHealthy(seen)) {
    throw notHealthy(
      'every host well, every standby streaming',
      whatIsWrong(seen),
      'odoo-prov status FILE says what to do',
    );
  }
  const changes = await converge(cluster, hosts, connect, 'check');
  if (changes.length > 0) {
    throw notHealthy(
      'hosts as the inventory says',
      `apply would change ${changes.join('; ')}`,
      'odoo-prov apply FILE (--check says what is different), then run this again',
    );
  }
  return seen;
}

function notHealthy(expected: string, found: string, remedy: string): Failure {
  return new Failure({
    reason: 'refused',
    message: 'the cluster is not healthy: nothing was touched',
    ...{ expected, found, remedy },
  });
}
