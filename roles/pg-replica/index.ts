import { standbyRole } from '../../src/postgres/standby.js';

/** A copy for reading: Odoo (18 and newer) and reports. Commits never wait for it. */
export const pgReplica = standbyRole(
  'pg-replica',
  'PostgreSQL that follows the primary and serves reads',
);
