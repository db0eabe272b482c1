import type { Resource } from './kind.js';

/** A Debian package. */
export interface PackageResource extends Resource {
  readonly kind: 'package';
  readonly ensure: 'installed' | 'absent';
  readonly name: string;
  /** Suite to take it and what it needs from (`apt-get -t`), e.g. `sid`. */
  readonly release?: string;
}

/** An installed package, without what it merely recommends. Its version is left to apt. */
export function aptPackage(options: {
  readonly name: string;
  readonly release?: string;
}): PackageResource {
  return {
    kind: 'package',
    id: options.name,
    ensure: 'installed',
    name: options.name,
    ...(options.release !== undefined && { release: options.release }),
  };
}

/** A package that must not be installed. Its configuration files are kept (`remove`, not `purge`). */
export function absentPackage(name: string): PackageResource {
  return { kind: 'package', id: name, ensure: 'absent', name };
}
