import { EXIT, exitCodeOf, Failure } from '../failure/failure.js';
import type { Cluster } from '../inventory/cluster.js';
import type { Held } from '../plan/rolling.js';

/** What `--check` says of a restart that apply would not make. */
export function waitsFor({ what, why, hosts }: Held): string {
  const names = hosts.join(', ');
  switch (why) {
    case 'consent':
      return `PostgreSQL is the primary, and restarted only with --restart-primary, for ${what}`;
    case 'primary':
      return `PostgreSQL is restarted after ${names}, the primary, for ${what}`;
    case 'standbys':
      return `PostgreSQL is the primary, and not restarted before ${names}, for ${what}`;
    case 'held-up':
      return `PostgreSQL is the primary, and not restarted while ${names} replays nothing, for ${what}`;
  }
}

/**
 * The failure of a host whose restart this run could have made and did not.
 * @param failures of those of its hosts on which this run failed, or which did not answer
 */
export function notRestarted(
  host: string,
  held: Held,
  cluster: Cluster,
  failures: readonly Failure[] = [],
): Failure {
  const names = held.hosts.join(', ');
  const failed = namesOf(failures);
  // Of a host that runs, what it failed of is to be mended, and nobody has to bring it back.
  const ran = namesOf(failures.filter(({ reason }) => exitCodeOf(reason) !== EXIT.unreachable));
  const about = { reason: 'consent', host, found: `it waits for ${held.what}` } as const;
  const command = `odoo-prov apply ${cluster.file} --restart-primary`;
  switch (held.why) {
    case 'consent':
      return new Failure({
        ...about,
        message: 'PostgreSQL takes the writes here, and is restarted only with your consent',
        expected: 'a restart, for settings that cannot be had without',
        remedy:
          failed === ''
            ? `${command}: transactions in flight fail, then writes wait for some seconds. The rest of this run was done`
            : `first mend what this run says of ${failed}: until then one with --restart-primary ends in the same way. Then: ${command}`,
      });
    case 'primary':
      return new Failure({
        ...about,
        message: `PostgreSQL was not restarted: ${names}, the primary, must be first`,
        expected: `${names} restarted with less, then its standbys`,
        remedy: `${command}, without --limit and --role`,
      });
    case 'standbys':
      return new Failure({
        ...about,
        message: `PostgreSQL takes the writes here, and was not restarted: ${names} must have the larger values first`,
        expected:
          'every standby restarted with them: one with less than its primary stops replaying',
        remedy:
          ran === ''
            ? `bring ${names} back, or take it out of the inventory; then ${command}, without --limit and --role`
            : `first mend what this run says of ${ran}: where PostgreSQL did not start with the settings, those (postgres.settings). Then: ${command}, without --limit and --role`,
      });
    case 'held-up':
      return new Failure({
        ...about,
        message: `PostgreSQL takes the writes here, and was not restarted: ${names} has less than its primary had, and replays nothing`,
        expected: `${names} restarted with as much first: it could not take over, whatever the primary has by then`,
        remedy: `${command}, without --limit and --role: it does both, in this order. If ${names} failed, mend that first`,
      });
  }
}

function namesOf(failures: readonly Failure[]): string {
  return failures.flatMap(({ details }) => details.host ?? []).join(', ');
}
