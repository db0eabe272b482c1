import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';

/** Why a host is left alone: another run has its lock. @param holder who and since when, as the host tells it */
export function hostIsLocked({ name }: Host, holder: string): Failure {
  return new Failure({
    reason: 'run-lock',
    host: name,
    message: 'another run is changing this host',
    expected: 'no other run',
    found: holder,
    remedy:
      'wait until it ends, then run this again. If its machine is gone for good, end that process on the host',
  });
}

/** Why a host is left alone: somebody breaks it on purpose. @param holder who and since when, as the host tells it */
export function hostIsTested({ name }: Host, holder: string): Failure {
  return new Failure({
    reason: 'run-lock',
    host: name,
    message: 'a failover-test runs on this host',
    expected: 'no failover-test',
    found: holder,
    remedy:
      'wait until it ends, then run this again; or press Ctrl-C where it runs: it heals first. If its machine is gone for good, end that process on the host',
  });
}

/** What a shell that held a lock ended with, as a failure. */
export function asFailure(error: unknown, { name }: Host): Failure {
  if (error instanceof Failure) return error;
  return new Failure({
    reason: 'command-failed',
    host: name,
    message: error instanceof Error ? error.message : String(error),
    remedy: 'run it again with DEBUG=odoo-prov and report what it prints',
    cause: error,
  });
}
