import type { ClusterStatus, DatabaseMember } from '../status/model.js';
import type { Alert } from '../status/alert.js';
import { assertion, onHost, type Check } from './check.js';
import { wayBack } from './way-back.js';

/** Rows of the test that a standby has; undefined where it did not answer. */
export type RowsSeen = ReadonlyMap<string, number | undefined>;

export interface ClusterObservation {
  /** Timeline before the scenario. */
  readonly timeline: number;
  /** Promotions that the scenario made. */
  readonly promotions: number;
  /** Who is to be primary afterwards. */
  readonly primary: string;
  readonly after: ClusterStatus;
  readonly alerts: readonly Alert[];
  /** Rows on the primary, and on each other database host. */
  readonly rows: number;
  readonly rowsSeen: RowsSeen;
}

/** Judges what a scenario left behind: one primary, the right timeline, all standbys behind it. */
export function judgeCluster(seen: ClusterObservation): readonly Check[] {
  const { primary, writable, timeline } = seen.after.database;
  const expected = seen.timeline + seen.promotions;
  return [
    assertion('cluster.one-primary', 'exactly one host takes writes', writable.length === 1, {
      found: writable.length === 0 ? 'none does' : `${writable.join(' and ')} do`,
      next: 'odoo-prov status FILE says what to do',
    }),
    assertion('cluster.primary', `${seen.primary} is primary`, primary === seen.primary, {
      found: primary ?? 'nobody is',
      next: wayBack(seen.after, seen.primary).join(', then '),
    }),
    assertion(
      'cluster.timeline',
      seen.promotions === 0
        ? `the timeline is still ${expected}`
        : `the timeline went up to ${expected}, once for each promotion`,
      timeline === expected,
      {
        found: timeline === null ? 'not known' : String(timeline),
        next: 'somebody else promoted a server meanwhile: odoo-prov status FILE',
      },
    ),
    ...standbys(seen),
    ...seen.alerts
      .filter(({ severity }) => severity === 'problem')
      .map(({ id, host, message, next }) => {
        const check = assertion(`status.${id}`, 'odoo-prov status finds no problem', false, {
          found: message,
          next,
        });
        return host === null ? check : onHost(host, check);
      }),
  ];
}

function standbys({ after, rows, rowsSeen }: ClusterObservation): readonly Check[] {
  const { members, primary, timeline } = after.database;
  return members
    .filter(({ host }) => host !== primary)
    .flatMap((member) =>
      standby(member, timeline, rows, rowsSeen.get(member.host)).map((check) =>
        onHost(member.host, check),
      ),
    );
}

function standby(
  member: DatabaseMember,
  timeline: number | null,
  rows: number,
  seen: number | undefined,
): readonly Check[] {
  const { host, state, slot } = member;
  return [
    assertion(
      'standby.streams',
      `${host} follows on timeline ${timeline ?? '?'}, its slot active`,
      state === 'streaming' && member.timeline === timeline && slot?.active === true,
      {
        found: `${state}, timeline ${member.timeline ?? 'not known'}, ${slot === null ? 'no slot' : slot.active ? 'slot active' : 'slot not in use'}`,
        next: `on ${host}: the newest file in /var/log/postgresql/odoo-prov says why; odoo-prov rejoin FILE --host ${host} makes it follow`,
      },
    ),
    assertion('standby.rows', `${host} has every row`, seen === rows, {
      found: seen === undefined ? `it does not answer; ${rows} are there` : `${seen} of ${rows}`,
      next: `odoo-prov status FILE: how far does ${host} lag, and is its replay paused?`,
    }),
  ];
}
