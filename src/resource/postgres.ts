/** Everything of PostgreSQL in one place: the constructors for roles, and the kinds by name. */
import type { Kind } from './kind.js';
import { postgresClusterKind } from './postgres-cluster.js';
import { postgresDatabaseKind } from './postgres-database.js';
import { postgresExtensionKind } from './postgres-extension.js';
import { postgresRoleKind } from './postgres-role.js';
import { postgresSettingsKind } from './postgres-settings.js';
import { postgresSlotKind } from './postgres-slot.js';
import { postgresStandbyKind } from './postgres-standby.js';

export { postgresCluster } from './postgres-cluster.js';
export { postgresDatabase } from './postgres-database.js';
export { postgresExtension } from './postgres-extension.js';
export { postgresRole } from './postgres-role.js';
export { scramVerifier } from './postgres-scram.js';
export { postgresSettings } from './postgres-settings-resource.js';
export { postgresSlot } from './postgres-slot.js';
export { postgresStandby } from './postgres-standby.js';

export const postgresKinds: Readonly<Record<string, Kind>> = {
  postgresCluster: postgresClusterKind,
  postgresDatabase: postgresDatabaseKind,
  postgresExtension: postgresExtensionKind,
  postgresRole: postgresRoleKind,
  postgresSettings: postgresSettingsKind,
  postgresSlot: postgresSlotKind,
  postgresStandby: postgresStandbyKind,
};
