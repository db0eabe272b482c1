import { z } from 'zod';
import { databaseHosts, type Cluster } from '../inventory/cluster.js';
import { ODOO_USER } from '../odoo/layout.js';
import { REPLICATION_USER, REPORTING_USER } from '../postgres/layout.js';
import { VALID_UNTIL } from '../resource/postgres-role.js';
import { literal } from '../resource/postgres-sql.js';

/** A limit of a database's or a role's own, in number or in time: PgBouncer and max_connections know nothing of it. */
export const connectionLimit = z.object({
  what: z.string(),
  /** Who is held up by it: `odoo`, `replication`, `reporting`. */
  whose: z.enum(['odoo', 'replication', 'reporting']),
  /** -1: none; null: nobody is let in. */
  limit: z.number().nullable(),
  /** By what word nobody is let in. */
  closed: z.string().nullable(),
  /** Connections that are needed, or that the inventory gives; null: those of the budget. */
  needed: z.number().nullable(),
  /** Seconds after which its password lets nobody in any more; null where this is not what is told. */
  expires: z.number().nullable(),
});

export type ConnectionLimit = z.infer<typeof connectionLimit>;

/** One SQL expression that gives the limits of a primary that are other than odoo-prov's, as a list of {@link connectionLimit}. */
export function connectionLimitsSql(cluster: Cluster): string {
  const { reporting } = cluster.postgres;
  // A stream to each, and the question of its guard.
  const standbys = 2 * (databaseHosts(cluster).length - 1);
  const roles = [
    [ODOO_USER, 'odoo', 'null', '-1'],
    [REPLICATION_USER, 'replication', String(standbys), '-1'],
    ...(reporting === undefined
      ? []
      : [
          [
            REPORTING_USER,
            'reporting',
            String(reporting.connections),
            String(reporting.connections),
          ],
        ]),
  ].map(
    ([name = '', whose = '', needed = '', wanted = '']) =>
      `(${literal(name)}, ${literal(whose)}, ${needed}::int, ${wanted})`,
  );
  return `coalesce((
    with ours (name, whose, needed, wanted) as (values ${roles.join(', ')})
    select json_agg(json_build_object('what', what, 'whose', whose, 'limit', case when closed is null then allowed end,
      'closed', closed, 'needed', needed, 'expires', expires)) from (
      select 'the database ' || datname as what, 'odoo' as whose, datconnlimit as allowed,
        case when not datallowconn then 'ALLOW_CONNECTIONS false' end as closed, null::int as needed, -1 as wanted,
        null::numeric as expires
      from pg_database where datname = ${literal(cluster.odoo.database)}
      union all
      select 'the role ' || rolname, w.whose, rolconnlimit, case when not rolcanlogin then 'NOLOGIN' when rolvaliduntil <= now() then 'VALID UNTIL ' || ${VALID_UNTIL} end, w.needed, w.wanted, null
      from pg_roles join ours w on rolname = w.name
      union all
      select 'the role ' || rolname, w.whose, -1, null, w.needed, -1, extract(epoch from rolvaliduntil - now())
      from pg_roles join ours w on rolname = w.name where rolvaliduntil > now() and isfinite(rolvaliduntil)) own
    where allowed <> wanted or closed is not null or expires is not null), '[]')`;
}
