import type { Alert } from './alert.js';
import type { HostStatus } from './model.js';

/**
 * Whether a rejoin has started the data of a host by itself, to look for rows that only it has, and runs or was cut then. The guard
 * does not run meanwhile.
 */
export function isRejoining({ postgres }: HostStatus): boolean {
  return postgres?.server === 'down' && postgres.found?.server === 'compared';
}

/** What is told of such a host instead of units that are stopped: the rejoin starts them. */
export function rejoiningText(host: string): Pick<Alert, 'message' | 'next'> {
  return {
    message: `a rejoin of ${host} has not come to its end: it has started its data by itself, to look for rows that only it has, and runs or was cut off`,
    next: `if it does not run: the same command again brings it to its end, odoo-prov rejoin FILE --host ${host}; start nothing there by hand`,
  };
}
