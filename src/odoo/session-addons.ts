/**
 * Odoo add-ons that need a session of their own on Odoo's database, and why. They do not work where
 * PgBouncer pools by transaction.
 *
 * - queue_job (OCA): its runner LISTENs there and reads with cursors that outlive a transaction; "pgbouncer
 *   has to work in session pooling" (github.com/OCA/queue/issues/539).
 *
 * Add-ons that build on one of them (connector, base_import_async, …) bring it along. Odoo's own bus and
 * scheduler LISTEN on the database `postgres`, which keeps session mode.
 */
const SESSION_ADDONS = ['queue_job'] as const;

/** What {@link sessionAddonsCommand} prints when none is installed. */
export const NO_SESSION_ADDON = 'none';

/**
 * Shell text that prints the add-ons that need sessions and are installed in a database, or
 * {@link NO_SESSION_ADDON}; it only reads. A database without Odoo's tables has none.
 *
 * @param psql shell words that open psql on the database, for statements on stdin
 */
export function sessionAddonsCommand(psql: string): string {
  const names = SESSION_ADDONS.map((name) => `$$${name}$$`).join(', ');
  const statements = [
    'SELECT to_regclass($$public.ir_module_module$$) IS NOT NULL AS odoo \\gset',
    '\\if :odoo',
    `SELECT coalesce(string_agg(name, $$, $$ ORDER BY name), $$${NO_SESSION_ADDON}$$) FROM ir_module_module`,
    `WHERE name IN (${names}) AND state IN ($$installed$$, $$to install$$, $$to upgrade$$);`,
    '\\else',
    `SELECT $$${NO_SESSION_ADDON}$$;`,
    '\\endif',
  ];
  const words = statements.map((statement) => `'${statement}'`).join(' ');
  return `printf '%s\\n' ${words} | ${psql} 2>&1`;
}
