import { inventoryJsonSchema } from '../inventory/index.js';
import { print } from '../ui/terminal.js';

/** `odoo-prov schema`. */
export function schema(): void {
  print(JSON.stringify(inventoryJsonSchema(), null, 2));
}
