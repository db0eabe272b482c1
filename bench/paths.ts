import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the compiled bench is: `.odoo-prov/bench` in the checkout. */
const COMPILED = dirname(fileURLToPath(import.meta.url));
/** The checkout. */
export const ROOT = join(COMPILED, '..', '..');
/** What the bench makes and may lose. */
export const WORK = join(ROOT, '.odoo-prov', 'bench-work');
/** The command that is measured. */
export const TOOL = join(ROOT, 'bin', 'odoo-prov');
/** Loaded into every measured process with `node --import`. */
export const METER = join(COMPILED, 'meter.js');
/** The program of both floors. */
export const FLOOR_CLIENT = join(COMPILED, 'floor-client.js');
/** The hand-written scripts of the second floor. */
export const FLOOR_SCRIPTS = join(ROOT, 'bench', 'floor');
