import type { Resource } from './kind.js';

export interface MountResource extends Resource {
  readonly kind: 'mount';
  readonly path: string;
  readonly source: string;
  readonly fstype: string;
  readonly options: string;
}

export interface MountOptions {
  /** Mount point, absolute; made if it is missing. */
  readonly path: string;
  /** As in fstab(5): a device, `host:/export`, `tmpfs`, … */
  readonly source: string;
  readonly fstype: string;
  /** Comma-separated; `defaults` if not given. */
  readonly options?: string;
}

/** A file system that is in /etc/fstab and mounted. */
export function mount(options: MountOptions): MountResource {
  return {
    kind: 'mount',
    id: options.path,
    path: options.path,
    source: options.source,
    fstype: options.fstype,
    options: options.options ?? 'defaults',
  };
}
