/** The resources of any Debian host in one place: the constructors for roles, and the kinds by name. */
import { aptSourceKind } from './apt-source.js';
import { backupStanzaKind } from './backup-stanza.js';
import { checkKind } from './check.js';
import { directoryKind } from './directory.js';
import { fileKind } from './file.js';
import { groupKind } from './group.js';
import { jobKind } from './job.js';
import type { Kind } from './kind.js';
import { mountKind } from './mount.js';
import { packageKind } from './package.js';
import { symlinkKind } from './symlink.js';
import { sysctlKind } from './sysctl.js';
import { unitKind } from './unit.js';
import { userKind } from './user.js';

export { absentAptSource, aptSource } from './apt-source.js';
export { backupStanza } from './backup-stanza.js';
export { check } from './check.js';
export { directory } from './directory.js';
export { absentFile, file } from './file.js';
export { group } from './group.js';
export { job } from './job.js';
export { mount } from './mount.js';
export { absentPackage, aptPackage } from './package.js';
export { absentSymlink, symlink } from './symlink.js';
export { sysctl } from './sysctl.js';
export { unit } from './unit.js';
export { user } from './user.js';

export const basicKinds: Readonly<Record<string, Kind>> = {
  aptSource: aptSourceKind,
  backupStanza: backupStanzaKind,
  check: checkKind,
  directory: directoryKind,
  file: fileKind,
  group: groupKind,
  job: jobKind,
  mount: mountKind,
  package: packageKind,
  symlink: symlinkKind,
  sysctl: sysctlKind,
  unit: unitKind,
  user: userKind,
};
