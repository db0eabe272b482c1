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
  /** PostgreSQL's folder of logs, where the unit is one: the journal does not have what it dies of. */
  readonly logs?: string;
}
