import type { Kind } from './kind.js';

export { absentAptSource, aptSource } from './apt-source.js';
export { check } from './check.js';
export { directory } from './directory.js';
export { absentFile, file } from './file.js';
export { group } from './group.js';
export { mount } from './mount.js';
export { absentPackage, aptPackage } from './package.js';
export { absentSymlink, symlink } from './symlink.js';
export { sysctl } from './sysctl.js';
export { unit } from './unit.js';
export { user } from './user.js';
export { keyOf } from './kind.js';

/** Every kind by its name, which is what `Resource.kind` holds. */
export const kinds: Readonly<Record<string, Kind>> = {};
