import { z } from 'zod';
import { inventorySchema } from './schema.js';

/** The inventory's JSON Schema (draft 7, which editors know), for `odoo-prov schema`. */
export function inventoryJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'odoo-prov inventory' };
}
