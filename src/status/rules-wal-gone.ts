import { problem, type Alert } from './alert.js';
import type { ClusterStatus, HostStatus } from './model.js';

/** A standby that receives nothing and never will: what it needs next is nowhere any more. Undefined where it is not so. */
export function walGoneRule(
  host: HostStatus | undefined,
  { database, wanted }: ClusterStatus,
): Alert | undefined {
  if (host === undefined || host.walGone === null) return undefined;
  const primary = database.primary ?? 'its primary';
  const nobody = wanted.archive
    ? `neither ${primary} nor the archive has`
    : `${primary} no longer has`;
  return problem({
    id: 'postgres.wal-gone',
    host: host.host,
    message: `${host.host} lacks WAL (${host.walGone}) that ${nobody}: it cannot catch up`,
    next: `odoo-prov rejoin FILE --host ${host.host} copies everything anew`,
  });
}
