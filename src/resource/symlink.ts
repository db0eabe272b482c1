import type { Resource } from './kind.js';

export interface SymlinkResource extends Resource {
  readonly kind: 'symlink';
  readonly path: string;
  /** What the link says, as it is written in it; `absent`: no link here. */
  readonly target: string | { readonly absent: true };
}

/** A symbolic link at `path` that says `target`. A file in its place is replaced, a directory never. */
export function symlink(options: {
  readonly path: string;
  readonly target: string;
}): SymlinkResource {
  return { kind: 'symlink', id: options.path, path: options.path, target: options.target };
}

/** No symbolic link at `path`. Anything else that is there is left alone. */
export function absentSymlink(path: string): SymlinkResource {
  return { kind: 'symlink', id: path, path, target: { absent: true } };
}
