import type { Resource } from './kind.js';

export interface SysctlResource extends Resource {
  readonly kind: 'sysctl';
  /** Dotted, e.g. `net.ipv4.tcp_keepalive_time`. */
  readonly key: string;
  readonly value: string;
}

/**
 * A kernel setting, live and after a reboot. In a container that may not set it, it is reported as
 * not applicable.
 */
export function sysctl(options: {
  readonly key: string;
  readonly value: string | number;
}): SysctlResource {
  return { kind: 'sysctl', id: options.key, key: options.key, value: String(options.value) };
}
