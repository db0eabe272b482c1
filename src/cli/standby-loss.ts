import { Failure } from '../failure/failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { askChoice } from '../ui/prompt.js';

/** What commits do where a failover leaves no standby, by the command line. */
export interface StandbyLossFlags {
  readonly dryRun?: true;
  readonly onStandbyLoss?: 'block' | 'continue';
}

/** The hosts do by themselves what the inventory says: a flag cannot hold them back. @throws Failure usage */
export function requireObeyed(
  { postgres }: Cluster,
  flag: StandbyLossFlags['onStandbyLoss'],
): void {
  const { synchronous, onStandbyLoss } = postgres.replication;
  const wrong = (expected: string, found: string): Failure =>
    new Failure({
      reason: 'usage',
      message: `--on-standby-loss ${flag ?? ''} is against the inventory`,
      expected: `postgres: { replication: { ${expected} } }`,
      found,
      remedy: 'change the inventory and apply it, or leave the flag out',
    });
  if (flag === undefined) return;
  if (synchronous === 'off') throw wrong('synchronous: on', 'synchronous: off: commits never wait');
  if (flag === 'block' && onStandbyLoss === 'continue') {
    throw wrong('on_standby_loss: block', 'on_standby_loss: continue');
  }
}

/** Whether to wait for a standby where a failover leaves none: by the flag, or asked once. A dry run asks nobody. */
export function onceAsked(
  flags: StandbyLossFlags,
): (host: string) => Promise<'block' | 'continue'> {
  let answer = flags.onStandbyLoss ?? (flags.dryRun === true ? 'block' : undefined);
  return async (host) => {
    const chosen =
      answer ??
      (await askChoice(
        `No standby is left once ${host} is primary, and replication is synchronous. What shall commits do?`,
        [
          {
            value: 'block' as const,
            name: 'wait until a standby is back: nothing is saved till then',
          },
          { value: 'continue' as const, name: `go on: what is saved till then is on ${host} only` },
        ],
        'give --on-standby-loss block|continue',
      ));
    answer = chosen;
    return chosen;
  };
}
