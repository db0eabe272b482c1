import { aptKeyKind } from './apt-key.js';
import { basicKinds } from './basic.js';
import type { Kind } from './kind.js';
import { odooDatabaseKind } from './odoo-database.js';
import { localeKind } from './locale.js';
import { pgbouncerDatabaseKind } from './pgbouncer-database.js';
import { postgresKinds } from './postgres.js';
import { selfSignedCertificateKind } from './self-signed-certificate.js';

export {
  absentAptSource,
  absentFile,
  absentPackage,
  absentSymlink,
  aptPackage,
  aptSource,
  backupStanza,
  check,
  directory,
  file,
  group,
  job,
  mount,
  symlink,
  sysctl,
  unit,
  user,
} from './basic.js';
export { aptKey } from './apt-key.js';
export { locale } from './locale.js';
export { pgbouncerDatabase } from './pgbouncer-database.js';
export { odooDatabase } from './odoo-database.js';
export { selfSignedCertificate } from './self-signed-certificate.js';
export {
  postgresCluster,
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSettings,
  postgresSlot,
  postgresStandby,
  scramVerifier,
} from './postgres.js';
export { COPY_LOCK } from './postgres-data.js';
export { lastWords, markLastStart } from './postgres-log.js';
export { HOT_STANDBY, HOT_STANDBY_NAMES } from './postgres-hot-standby.js';
export { ALONE_FILE, AUTO_FILE, PENDING, SETTINGS_FILE } from './postgres-settings-resource.js';
export { keyOf } from './kind.js';

/** Every kind by its name, which is what `Resource.kind` holds. */
export const kinds: Readonly<Record<string, Kind>> = {
  ...basicKinds,
  locale: localeKind,
  ...postgresKinds,
  pgbouncerDatabase: pgbouncerDatabaseKind,
  aptKey: aptKeyKind,
  odooDatabase: odooDatabaseKind,
  selfSignedCertificate: selfSignedCertificateKind,
};
