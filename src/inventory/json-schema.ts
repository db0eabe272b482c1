import { z } from 'zod';
import { inventorySchema } from './schema.js';

let made: Record<string, unknown> | undefined;

/** The inventory's JSON Schema (draft 7, which editors know), for `odoo-prov schema`. */
export function inventoryJsonSchema(): Record<string, unknown> {
  // Asked for at each unknown key.
  if (made !== undefined) return made;
  const schema = z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' });
  made = { ...schema, title: 'odoo-prov inventory' };
  return made;
}
