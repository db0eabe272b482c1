import type { Resource } from './kind.js';

export interface GroupResource extends Resource {
  readonly kind: 'group';
  readonly name: string;
  readonly system: boolean;
}

/** A local group; `system` decides its number's range when it is made, and is not compared. */
export function group(options: {
  readonly name: string;
  readonly system?: boolean;
}): GroupResource {
  return { kind: 'group', id: options.name, name: options.name, system: options.system ?? true };
}
