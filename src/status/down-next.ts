import { strandedBy } from '../facts/stranded.js';
import { LONE_START_WORD } from '../postgres/layout.js';
import { isOutdated, type Held } from '../postgres/outdated.js';
import { LOG_FOLDER } from '../postgres/settings.js';
import { isMoveCut } from './cut-move.js';
import type { ClusterStatus, HostStatus } from './model.js';

/** What shows the state of PostgreSQL's service. */
export const SERVICE = "systemctl status 'postgresql@*'";

/** pg_controldata's words for data that followed a primary to the last. */
const FOLLOWED = ['in archive recovery', 'shut down in recovery'];

const DRY = 'odoo-prov failover FILE (--dry-run shows how)';

/** What comes first where nobody takes writes, and no standby receives from anybody. */
export function firstNext(status: ClusterStatus): string {
  if (isMoveCut(status)) {
    return 'a move of the primary was cut off: the same command again brings it to its end; or odoo-prov failover FILE promotes a standby (--dry-run shows how)';
  }
  const fenced = status.hosts.find((host) => isFenced(host));
  return fenced === undefined || status.hosts.some((host) => !isFenced(host) && isPrimarys(host))
    ? `bring the primary back (odoo-prov apply FILE, where its host answers), or promote a standby: ${DRY}`
    : `bring the host back that took over from ${fenced.host}. Only if there is none, or it is lost: ${DRY}`;
}

/**
 * What is next for a server that is stopped. Data that is no standby's was a primary's: whether it starts again depends
 * on whether another has taken over.
 */
export function downNext(one: HostStatus, status: ClusterStatus): string {
  const { host, postgres } = one;
  const look = `on ${host}: ${SERVICE}, and the newest file in ${LOG_FOLDER}`;
  const found = postgres?.found ?? null;
  if (found === null) return look;
  const rejoin = `odoo-prov rejoin FILE --host ${host}`;
  const all = status.hosts.flatMap((other) => other.postgres?.found ?? []);
  if (strandedBy(found, all) === 'past fork') {
    const primary = status.database.primary ?? 'another one';
    return `it went on past the point where ${primary} took over, and cannot follow: ${rejoin}`;
  }
  if (isMoveCut(status))
    return `the command again by which the primary was moved, or odoo-prov failover FILE, first: apply refuses until one is primary`;
  const start =
    one.startFailed === null
      ? 'odoo-prov apply FILE starts it'
      : 'mend what its last start failed of, then odoo-prov apply FILE starts it; settings that are its own apply mends itself';
  if (found.standby) return `${start}; ${look}`;
  if (status.database.primary !== null) {
    return FOLLOWED.includes(found.state)
      ? `its data is no standby's any more (standby.signal is gone): ${rejoin}`
      : `it was primary before: ${rejoin}`;
  }
  if (isOutdated(found, status.hosts.flatMap(heldBy))) {
    return `it was primary before another one, which was not seen: bring that host back, then ${rejoin}`;
  }
  if (one.fenced !== null) return fencedNext(host, one.fenced);
  return `${start}; ${look}. Only if it does not come back: odoo-prov failover FILE`;
}

/** What its guard says of it, and what takes it back: another has taken over, or a failover was cut before that. */
function fencedNext(host: string, why: string): string {
  return (
    `its guard keeps it down, and apply does not start it: fenced at ${why}. Bring the host back that has taken over, then ` +
    `odoo-prov rejoin FILE --host ${host}; where a failover was cut: odoo-prov failover FILE again. If all other database hosts ` +
    `are lost for good: touch ${LONE_START_WORD} on ${host}, then odoo-prov apply FILE`
  );
}

/** Stopped, with a primary's data: a standby's that is fenced starts, and the fence goes. */
function isPrimarys({ postgres }: HostStatus): boolean {
  return postgres?.server !== 'up' && postgres?.found?.standby === false;
}

function isFenced(host: HostStatus): boolean {
  return host.fenced !== null && isPrimarys(host);
}

/** What the data of a host tells of who was primary last. */
function heldBy({ postgres }: HostStatus): readonly Held[] {
  if (postgres?.server !== 'up') return postgres?.found ? [postgres.found] : [];
  const { recovering, timeline, pastFork } = postgres.data;
  return [{ standby: recovering, timeline, pastFork }];
}
