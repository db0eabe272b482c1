import { Failure } from '../failure/failure.js';

/** Somebody who takes writes. */
export interface Writer {
  readonly host: string;
  readonly timeline: number;
}

/**
 * Of those who take writes the one that took over last: each promotion makes a newer timeline. Where two are on the
 * newest, the first of them.
 */
export function newestWriter<T extends Writer>(writers: readonly T[]): T | undefined {
  const newest = Math.max(...writers.map(({ timeline }) => timeline));
  return writers.find(({ timeline }) => timeline === newest);
}

/** Those who take writes though another one has taken over; none where two are on the newest timeline: nobody can tell. */
export function staleWriters<T extends Writer>(writers: readonly T[]): readonly T[] {
  const last = newestWriter(writers);
  const others = writers.filter((writer) => writer !== last);
  return others.some(({ timeline }) => timeline === last?.timeline) ? [] : others;
}

/** `db2 (timeline 10)`. */
export function writerText({ host, timeline }: Writer): string {
  return `${host} (timeline ${String(timeline)})`;
}

const STOP = "systemctl stop 'postgresql@*'";

/**
 * What to do where several hosts take writes. PgBouncer may still lead to the old one, so where it leads is asked only
 * where the timelines do not tell who took over.
 */
export function stopOthers(writers: readonly Writer[]): string {
  const [last, stale] = [newestWriter(writers), staleWriters(writers)];
  if (last === undefined || stale.length === 0) {
    return `find out which of them PgBouncer uses, stop PostgreSQL on the others at once (${STOP}), and keep their data: it may hold rows that no other host has`;
  }
  const old = stale.map(({ host }) => host).join(' and ');
  const rejoin = stale.map(({ host }) => `odoo-prov rejoin FILE --host ${host}`).join(', ');
  return `${last.host} took over, for it is on the newest timeline: keep it, wherever PgBouncer leads. On ${old}, at once: ${STOP}. Then odoo-prov apply FILE, which leads the clients to ${last.host}; then ${rejoin}, which saves the rows that only ${old} has`;
}

/** Why nothing is moved while several hosts take writes. @param writers more than one */
export function severalPrimaries(writers: readonly Writer[]): Failure {
  return new Failure({
    reason: 'refused',
    message: 'more than one host takes writes',
    expected: 'exactly one primary',
    found: writers.map(writerText).join(', '),
    remedy: stopOthers(writers),
  });
}
