import type { Key, Resource } from './kind.js';

/** A systemd unit, and whether it has taken in the files that it was last changed by. */
export interface UnitResource extends Resource {
  readonly kind: 'unit';
  /** Full name with its suffix. */
  readonly name: string;
  readonly running: boolean | 'any';
  readonly enabled: boolean | 'any';
  readonly masked: boolean;
  readonly restartFor: readonly Key[];
  readonly reloadFor: readonly Key[];
}

export interface UnitOptions {
  /** `nginx` means `nginx.service`. */
  readonly name: string;
  /** Runs now; true if not given. `any`: not looked at. */
  readonly running?: boolean | 'any';
  /** Starts at boot; the same as `running` if not given. `any`: not looked at. */
  readonly enabled?: boolean | 'any';
  /** Cannot be started at all, not even by its own package when it is installed later. */
  readonly masked?: boolean;
  /** It must be restarted after a change of these: `file:`, `symlink:` and `package:` keys are observed. */
  readonly restartFor?: readonly Key[];
  /** The same for a reload, where the service can do that. */
  readonly reloadFor?: readonly Key[];
}

const SUFFIX = /\.(service|socket|timer|target|mount|automount|path|slice|swap)$/;

/** A systemd unit. Restarts and reloads are state: see docs/architecture.md. */
export function unit(options: UnitOptions): UnitResource {
  const name = SUFFIX.test(options.name) ? options.name : `${options.name}.service`;
  const masked = options.masked ?? false;
  const running = options.running ?? !masked;
  return {
    kind: 'unit',
    id: name,
    name,
    running,
    enabled: options.enabled ?? running,
    masked,
    restartFor: options.restartFor ?? [],
    reloadFor: options.reloadFor ?? [],
  };
}
