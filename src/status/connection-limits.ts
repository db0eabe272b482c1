import { z } from 'zod';
import { databaseHosts, type Cluster } from '../inventory/cluster.js';
import { ODOO_USER } from '../odoo/layout.js';
import { REPLICATION_USER, REPORTING_USER } from '../postgres/layout.js';
import { literal } from '../resource/postgres-sql.js';

/** A limit of a database's or a role's own: PgBouncer and max_connections know nothing of it. */
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
    select json_agg(json_build_object('what', what, 'whose', whose, 'limit', case when closed is null then allowed end,
      'closed', closed, 'needed', needed)) from (
      select 'the database ' || datname as what, 'odoo' as whose, datconnlimit as allowed,
        case when not datallowconn then 'ALLOW_CONNECTIONS false' end as closed, null::int as needed, -1 as wanted
      from pg_database where datname = ${literal(cluster.odoo.database)}
      union all
      select 'the role ' || rolname, w.whose, rolconnlimit, case when not rolcanlogin then 'NOLOGIN' end, w.needed, w.wanted
      from pg_roles join (values ${roles.join(', ')}) w (name, whose, needed, wanted) on rolname = w.name) own
    where allowed <> wanted or closed is not null), '[]')`;
}
