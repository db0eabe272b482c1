import { AUTO_FILE } from '../resource/index.js';
import { problem, warning, type Alert } from './alert.js';
import type { PostgresServer } from './postgres.js';
import { list } from './words.js';

const APPLY = 'odoo-prov apply FILE';

/** What somebody has said for Odoo's sessions, by role, by database or for the whole server, and keeps Odoo from its work. */
export function odooSessionRules(host: string, { odooSessions }: PostgresServer): readonly Alert[] {
  if (odooSessions === null) return [];
  const { readOnly, readOnlyFile, settings } = odooSessions;
  const cannot = `Odoo cannot write on ${host}: default_transaction_read_only is on`;
  const alerts: Alert[] = [];
  if (readOnly.length > 0) {
    alerts.push(
      problem({
        id: 'postgres.read-only',
        host,
        message: `${cannot} for ${list(readOnly)}`,
        next: `${APPLY} takes it back, and ends Odoo's idle sessions, which would keep it`,
      }),
    );
  }
  if (readOnlyFile !== null) {
    const { file, line } = readOnlyFile;
    alerts.push(
      problem({
        id: 'postgres.read-only',
        host,
        message: `${cannot} by ${file} line ${String(line)}`,
        next: file.endsWith(`/${AUTO_FILE}`)
          ? `${APPLY} takes it back`
          : `take it out there; then on ${host}, as postgres: select pg_reload_conf()`,
      }),
    );
  }
  if (settings.length > 0) {
    const said = settings.map(({ name, value, whose }) => `${name} ${value} of ${whose}`);
    alerts.push(
      warning({
        id: 'postgres.sessions',
        host,
        message: `Odoo's sessions on ${host} begin with what the inventory does not say: ${list(said)}`,
        next: 'yours, and left alone: ALTER ROLE or ALTER DATABASE … RESET it; if it is meant for all, say it in the inventory (postgres.settings)',
      }),
    );
  }
  return alerts;
}
