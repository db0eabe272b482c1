import type { Secret } from '../shell/index.js';
import type { Resource } from './kind.js';

/** A file with all of its content. */
export interface PresentFile extends Resource {
  readonly kind: 'file';
  readonly ensure: 'present';
  readonly path: string;
  readonly content: string | Secret;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly validate?: string;
  readonly backup: boolean;
}

/** A path at which there must be no file (a symlink counts as one). */
export interface AbsentFile extends Resource {
  readonly kind: 'file';
  readonly ensure: 'absent';
  readonly path: string;
}

export type FileResource = PresentFile | AbsentFile;

export interface FileOptions {
  /** Absolute path. Its folder must exist: declare it with `directory` before. */
  readonly path: string;
  readonly content: string | Secret;
  readonly owner?: string;
  readonly group?: string;
  /** Octal, `0644` if not given. */
  readonly mode?: string;
  /** A shell command that must succeed before the file is put in place; `{}` is the new file's path. */
  readonly validate?: string;
  /** Keep the file that is replaced as `<path>.~odoo-prov~` (one generation). */
  readonly backup?: boolean;
}

/** A file with this content, owner, group and mode; replaced atomically. */
export function file(options: FileOptions): PresentFile {
  const { path, content, owner = 'root', group = 'root', mode = '0644', backup = false } = options;
  return {
    kind: 'file',
    id: path,
    ensure: 'present',
    path,
    content,
    owner,
    group,
    mode: mode.padStart(4, '0'),
    ...(options.validate !== undefined && { validate: options.validate }),
    backup,
  };
}

/** No file (and no symlink) at this path. A directory there is never removed: apply fails and says so. */
export function absentFile(path: string): AbsentFile {
  return { kind: 'file', id: path, ensure: 'absent', path };
}
