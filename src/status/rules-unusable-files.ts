import { warning, type Alert } from './alert.js';
import type { HostStatus } from './model.js';
import { list } from './words.js';

/** Files without which a server that runs runs on, until it is to start, fetch WAL or follow another primary. */
export function unusableRules({ host, postgres, unusable }: HostStatus): readonly Alert[] {
  // Without a database the host waits for apply anyway, and that is told.
  if (unusable === null || unusable.length === 0 || postgres?.server === 'absent') return [];
  const files = unusable.map(({ path, why }) => `${path} (${why})`);
  return [
    warning({
      id: 'postgres.unusable',
      host,
      message: `PostgreSQL on ${host} cannot use ${list(files)}: its next start, log-in at a primary or fetch of WAL may fail`,
      next: `odoo-prov apply FILE --limit ${host}`,
    }),
  ];
}
