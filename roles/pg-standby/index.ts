import { standbyRole } from '../../src/postgres/standby.js';

/** The copy that takes over when the primary is lost. */
export const pgStandby = standbyRole(
  'pg-standby',
  'PostgreSQL that follows the primary and is ready to take its place',
);
