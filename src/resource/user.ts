import type { Resource } from './kind.js';

export interface UserResource extends Resource {
  readonly kind: 'user';
  readonly name: string;
  readonly system: boolean;
  readonly home: string;
  readonly shell: string;
  readonly group: string;
  readonly groups: readonly string[];
}

export interface UserOptions {
  readonly name: string;
  /** Decides its number's range when it is made; not compared. True if not given. */
  readonly system?: boolean;
  /** Not created: declare it with `directory`. `/nonexistent` if not given. */
  readonly home?: string;
  /** `/usr/sbin/nologin` if not given. */
  readonly shell?: string;
  /** Primary group, which must exist; the group of the same name if not given, made with the user. */
  readonly group?: string;
  /** Groups that it must also be in. Others that it is in are left alone. */
  readonly groups?: readonly string[];
}

/** A local user who cannot log in by password. */
export function user(options: UserOptions): UserResource {
  return {
    kind: 'user',
    id: options.name,
    name: options.name,
    system: options.system ?? true,
    home: options.home ?? '/nonexistent',
    shell: options.shell ?? '/usr/sbin/nologin',
    group: options.group ?? options.name,
    groups: options.groups ?? [],
  };
}
