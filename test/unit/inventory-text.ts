import { parseInventory, type Cluster, type Inventory } from '../../src/inventory/index.js';

/** An inventory's text as if it were the file /srv/acme.yaml, with no file beside it. */
export function parseText(text: string): Inventory {
  return parseInventory(text, 'acme.yaml', {
    file: '/srv/acme.yaml',
    home: '/home/operator',
    read: () => ({ problem: 'there is no such file' }),
  });
}

/** The cluster of a text without mistakes. */
export function clusterOf(text: string): Cluster {
  const inventory = parseText(text);
  if (!inventory.ok) throw new Error(inventory.text);
  return inventory.cluster;
}
