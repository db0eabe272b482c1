import type { Cluster } from '../../src/inventory/cluster.js';
import { hasStandby, type Choice, type Sight } from '../../src/postgres/promotion.js';

/**
 * Of standbys that somebody has paused none is promoted by a switchover's own choice: a promotion ends the pause, and with it
 * what was being looked at. All have the same in the end.
 * @param choose by the operator's word, or whoever received most
 */
export function chooseReplaying(
  cluster: Cluster,
  choose: (to?: string) => Choice,
  to: string | undefined,
): Choice {
  const choice = choose(to);
  if (to !== undefined || !choice.candidate.replayPaused) return choice;
  const other = choice.others.find(
    (sight) =>
      !sight.replayPaused &&
      sight.received === choice.candidate.received &&
      hasStandby(cluster, [sight]),
  );
  return other === undefined ? choice : choose(other.host);
}

/** What is told of a pause, below the steps of a move. */
export function pausedText({ host, replayPaused }: Sight, others: readonly Sight[]): string[] {
  return [
    ...(replayPaused
      ? [
          `somebody has paused the replay of ${host}: the promotion ends that, and it replays all that it received`,
        ]
      : []),
    ...others
      .filter((other) => other.replayPaused)
      .map(
        (other) =>
          `somebody has paused the replay of ${other.host}: it does not go over to ${host} until that ends, and is not waited for (there, as postgres: select pg_wal_replay_resume())`,
      ),
  ];
}
