import type { RoleDefinition } from '../src/role/role.js';
import { app } from './app/index.js';
import { archive } from './archive/index.js';
import { backup } from './backup/index.js';
import { base } from './base/index.js';
import { cron } from './cron/index.js';
import { edge } from './edge/index.js';
import { filestoreBackup } from './filestore-backup/index.js';
import { gevent } from './gevent/index.js';
import { odooDatabase } from './odoo-database/index.js';
import { odoo } from './odoo/index.js';
import { pgPrimary } from './pg-primary/index.js';
import { pgReplica } from './pg-replica/index.js';
import { pgStandby } from './pg-standby/index.js';
import { pgbouncer } from './pgbouncer/index.js';
import { redis } from './redis/index.js';

/** Every role, in the order in which a host that has several of them gets them. */
export const ROLE_DEFINITIONS: readonly RoleDefinition[] = [
  base,
  pgPrimary,
  pgStandby,
  pgReplica,
  backup,
  archive,
  pgbouncer,
  redis,
  odoo,
  odooDatabase,
  app,
  cron,
  gevent,
  filestoreBackup,
  edge,
];
