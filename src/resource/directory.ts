import type { Resource } from './kind.js';

/** A directory, or a symlink to one (operators move data directories that way). */
export interface DirectoryResource extends Resource {
  readonly kind: 'directory';
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
}

export interface DirectoryOptions {
  /** Absolute path. Missing parents are made, owned by root with mode 0755. */
  readonly path: string;
  readonly owner?: string;
  readonly group?: string;
  /** Octal, `0755` if not given. */
  readonly mode?: string;
}

/** A directory with this owner, group and mode. What is in it is not looked at. */
export function directory(options: DirectoryOptions): DirectoryResource {
  const { path, owner = 'root', group = 'root', mode = '0755' } = options;
  return { kind: 'directory', id: path, path, owner, group, mode: mode.padStart(4, '0') };
}
