import { assertion, type Check } from './check.js';
import type { Gaps } from './gaps.js';
import { lossOf, type Comparison, type Write } from './ledger.js';
import type { Expectation } from './scenario.js';

/** From where on a scenario has failed; the inventory's `failover_test`. Seconds. */
export interface Limits {
  /** Recovery time objective: the longest time until every client can write again. */
  readonly rto: number;
  /** Recovery point objective: the longest time of which acknowledged writes may be lost in a failover. */
  readonly rpo: number;
  /** The longest time for which a client may be without a success where the cluster survives. */
  readonly gap: number;
  /** How many requests of users may fail where the cluster survives. */
  readonly failedRequests: number;
}

/** What the writers of a scenario saw. */
export interface WriteObservation {
  readonly writes: readonly Write[];
  readonly comparison: Comparison;
  readonly gaps: Gaps;
  readonly expectation: Expectation;
  readonly limits: Limits;
  /** Acknowledged writes may be lost, within the limit: a failover with asynchronous replication. */
  readonly mayLose: boolean;
  /** It was not cut by Ctrl-C: then nobody knows what would have been felt. */
  readonly complete: boolean;
  /** While it was broken, and no write could be confirmed; undefined where writes may go on. Milliseconds. */
  readonly held?: { readonly from: number; readonly until: number };
  /** Right before clients were let through to the new primary; undefined where none was promoted. */
  readonly cutOver?: number;
}

/** SQLSTATE of a write that reached a server which takes none. */
const READ_ONLY = '25006';

/** Judges a scenario by what its writers saw. */
export function judgeWrites(seen: WriteObservation): readonly Check[] {
  return [
    wroteBefore(seen),
    ...ledger(seen),
    ...felt(seen),
    ...held(seen),
    ...standstill(seen),
    ...readOnly(seen),
  ];
}

function wroteBefore({ comparison }: WriteObservation): Check {
  return assertion('writes.load', 'clients wrote all the time', comparison.acknowledged > 0, {
    found: 'not one write was saved, so nothing was tested',
    next: 'see which error the writers got (errors in the report), then run the scenario again',
  });
}

function ledger({ comparison, limits, mayLose }: WriteObservation): readonly Check[] {
  const { lost, lostInBetween, duplicated, invented } = comparison;
  const loss = lossOf(lost);
  const allowed = mayLose ? limits.rpo : 0;
  const text =
    allowed > 0
      ? `not more than the last ${seconds(allowed)} of acknowledged writes were lost (RPO): ${loss.rows} were`
      : 'no acknowledged write was lost';
  return [
    assertion('writes.lost', text, lost.length === 0 || (allowed > 0 && loss.seconds <= allowed), {
      found: `${loss.rows} acknowledged rows of ${seconds(loss.seconds)} are gone (${loss.bytes} bytes of WAL), the first of client ${lost[0]?.client ?? 0}`,
      next: mayLose
        ? 'postgres: { replication: { synchronous: on } } in the inventory loses nothing; or allow more with failover_test: { rpo: SECONDS }'
        : 'this must not happen: look for an old primary that took writes (journalctl -u odoo-prov-postgres-guard), for fsync off, and for disks that lie about a flush',
    }),
    assertion(
      'writes.lost-in-between',
      'no acknowledged write is missing before one that is there',
      lostInBetween.length === 0,
      {
        found: `${lostInBetween.length} rows are missing before others that are there`,
        next: 'replication does not lose single rows: somebody deletes rows of this table, or two servers took writes at the same time',
      },
    ),
    assertion('writes.duplicated', 'no row is there twice', duplicated.length === 0, {
      found: `${duplicated.length} rows are, the first of client ${duplicated[0]?.client ?? 0}`,
      next: 'something between clients and PostgreSQL sends statements again: it must not',
    }),
    assertion('writes.invented', 'no row is there that nobody was told of', invented.length === 0, {
      found: `${invented.length} rows are, the first of client ${invented[0]?.client ?? 0}`,
      next: 'did somebody write into the schema odoo_prov_failover_test by hand? If not, something sent a row twice: look at what stands between the clients and PostgreSQL (PgBouncer, a proxy)',
    }),
  ];
}

/** A client writes ten times a second: less than this between two of its writes may be anything. */
const FELT_MILLISECONDS = 1000;

/**
 * An outage that is expected and that nobody noticed: then the fault was none, and nothing is proved. A move of the primary that
 * nobody feels is what one wishes for, and the timeline tells that it was made.
 */
function felt(seen: WriteObservation): readonly Check[] {
  const { expectation, gaps, comparison, complete, cutOver } = seen;
  if (expectation.kind !== 'outage' || !complete || cutOver !== undefined) return [];
  const failed = comparison.refused + comparison.unknown;
  return [
    assertion(
      'writes.felt',
      `writes stood still or failed: ${expectation.why}`,
      failed > 0 || gaps.max >= FELT_MILLISECONDS,
      {
        found: `none failed, and no client waited longer than ${seconds(gaps.max / 1000)}`,
        next: 'either what was to be broken went on, or clients have a way around it that is not in the inventory: see the timeline, and run the scenario again',
      },
    ),
  ];
}

/** Writes that were confirmed although what must confirm them was away. */
function held({ writes, held: span, expectation }: WriteObservation): readonly Check[] {
  if (span === undefined) return [];
  const early = writes.filter(
    ({ outcome, begun, ended }) =>
      outcome === 'acknowledged' && begun >= span.from && ended <= span.until,
  );
  const through = [...new Set(early.map((write) => write.through))].join(', ');
  return [
    assertion(
      'writes.held',
      `no write was confirmed while it was broken: ${expectation.why}`,
      early.length === 0,
      {
        found: `${early.length} writes that began after the fault were confirmed before it was healed, through ${through}`,
        next: `with synchronous replication: something sets synchronous_commit off for sessions, and what they save may be lost. Look at connect_query in /etc/pgbouncer/databases.ini on ${through}, at ALTER ROLE and ALTER DATABASE (odoo-prov status FILE names those), at add-ons. Otherwise: what was to be broken went on`,
      },
    ),
  ];
}

function standstill({ gaps, expectation, limits }: WriteObservation): readonly Check[] {
  const { silent } = gaps;
  const back = assertion('writes.back', 'every client writes again', silent.length === 0, {
    found: `clients ${silent.join(', ')} do not`,
    next: 'odoo-prov status FILE: is there a primary, and does every PgBouncer lead to it?',
  });
  const limit = expectation.kind === 'survives' ? limits.gap : limits.rto;
  const most = expectation.kind === 'survives' ? gaps.max : gaps.recovery;
  const text =
    expectation.kind === 'survives'
      ? `no client was without a successful write for more than ${seconds(limit)}`
      : `every client wrote again within ${seconds(limit)} (RTO)`;
  return [
    back,
    assertion(
      expectation.kind === 'survives' ? 'writes.gap' : 'writes.rto',
      text,
      most <= limit * 1000,
      {
        found: seconds(most / 1000),
        next:
          expectation.kind === 'survives'
            ? `expected because ${expectation.why}; see in the timeline which step took so long`
            : 'see in the timeline which step took so long; or allow more with failover_test: { rto: SECONDS }',
      },
    ),
  ];
}

/**
 * After the cut-over a client that is told "read-only" was led to a server that is no primary: also one that was held back
 * until then, which may be all that ever meets it where clients take another PgBouncer after an error.
 */
function readOnly({ writes, cutOver }: WriteObservation): readonly Check[] {
  if (cutOver === undefined) return [];
  const wrong = writes.filter(({ error, ended }) => error === READ_ONLY && ended > cutOver);
  const through = [...new Set(wrong.map((write) => write.through))].join(', ');
  return [
    assertion(
      'writes.read-only',
      'after the cut-over no client was led to a server that takes no writes',
      wrong.length === 0,
      {
        found: `${wrong.length} writes through ${through} were answered with SQLSTATE ${READ_ONLY}`,
        next: `on ${through}: does /etc/pgbouncer/databases.ini name the primary? odoo-prov apply FILE writes it`,
      },
    ),
  ];
}

/** Seconds as people read them, to the tenth. */
function seconds(value: number): string {
  return `${Number(value.toFixed(1))} s`;
}
