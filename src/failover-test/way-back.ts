import type { ClusterStatus } from '../status/model.js';

/**
 * What leads back to the primary that there was, in this order; nothing where it is primary. A primary that was left
 * behind by a failover follows nobody: it can only be made primary again after it has rejoined.
 */
export function wayBack({ database }: ClusterStatus, before: string): readonly string[] {
  const { members, primary } = database;
  if (primary === before) return [];
  if (primary === null) return ['odoo-prov status FILE says what to do first'];
  const old = members.find(({ host }) => host === before);
  const follows = old?.state === 'streaming' || old?.state === 'catching up';
  return [
    ...(follows ? [] : [`odoo-prov rejoin FILE --host ${before}`]),
    `odoo-prov switchover FILE --to ${before}`,
    'odoo-prov apply FILE',
  ];
}
