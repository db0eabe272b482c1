import { z } from 'zod';
import type { Cluster } from '../inventory/cluster.js';
import { ODOO_USER } from '../odoo/layout.js';
import { SETTINGS_FILE } from '../resource/index.js';
import { overridesFor, readOnlyFor } from '../resource/postgres-overrides.js';
import { literal } from '../resource/postgres-sql.js';
import { settingText } from '../resource/postgres-values.js';

/** What Odoo's sessions on a primary begin with and odoo-prov did not say. */
export const odooSessions = z.object({
  /** Who says that they cannot write: `role odoo`, `database acme`. */
  readOnly: z.array(z.string()),
  /** The file that says so for the whole server, other than odoo-prov's own; null where none does. */
  readOnlyFile: z.object({ file: z.string(), line: z.number() }).nullable(),
  /** What may end or mislead their statements, by ALTER ROLE and ALTER DATABASE. */
  settings: z.array(z.object({ name: z.string(), value: z.string(), whose: z.string() })),
});

export type OdooSessions = z.infer<typeof odooSessions>;

/** Settings that may end or mislead what Odoo does, each with the values that do not. */
const HARMFUL: Readonly<Record<string, readonly string[]>> = {
  statement_timeout: ['0'],
  lock_timeout: ['0'],
  idle_in_transaction_session_timeout: ['0'],
  idle_session_timeout: ['0'],
  // From PostgreSQL 17 on.
  transaction_timeout: ['0'],
  search_path: ['"$user", public', 'public'],
  role: ['none', ODOO_USER],
  // Without it neither foreign keys nor triggers are looked at.
  session_replication_role: ['origin', 'local'],
};

/**
 * One SQL expression that gives {@link odooSessions} of a primary. What the inventory says for the whole server is known, and so not
 * told where a role or database says the same.
 */
export function odooSessionsSql({ odoo, postgres }: Cluster): string {
  const wanted = Object.entries(postgres.settings).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    settingText(value),
  ]);
  const harmful = Object.entries(HARMFUL).map(([name, harmless]) => {
    const known = wanted.flatMap(([key, value]) => (key === name ? [value] : []));
    const values = [...harmless, ...known].map(literal).join(', ');
    return `name = ${literal(name)} and value not in (${values})`;
  });
  return `json_build_object(
    'readOnly', coalesce((
      select json_agg(whose order by whose) from (${readOnlyFor(ODOO_USER, odoo.database)}) o), '[]'),
    'readOnlyFile', (
      select json_build_object('file', sourcefile, 'line', sourceline) from pg_settings
      where name = 'default_transaction_read_only' and setting = 'on' and source = 'configuration file'
        and sourcefile not like '%/${SETTINGS_FILE}'),
    'settings', coalesce((
      select json_agg(json_build_object('name', name, 'value', value, 'whose', whose) order by name, whose)
      from (${overridesFor(ODOO_USER, odoo.database)}) o
      where ${harmful.join('\n        or ')}), '[]'))`;
}
