import { keyOf } from '../resource/kind.js';
import type { RunEvent } from '../run/event.js';
import type { Failure } from '../failure/failure.js';

/**
 * An event as plain data for `--json`: the field names are an interface that programs read, so each is named
 * here and nothing else gets out (states and file contents stay inside).
 */
export function eventToJson(event: RunEvent): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case 'host-planned':
      return {
        type: event.type,
        host: event.host,
        pass: event.pass,
        changes: event.changes.map((change) => ({
          key: keyOf(change.resource),
          differences: change.differences.map(({ field, have, want }) => ({ field, have, want })),
          confirm: change.confirm ?? false,
        })),
        skipped: event.skipped.map(({ key, why }) => ({ key, why })),
        leftOver: [...event.leftOver],
        ...(event.waits === undefined ? {} : { waits: event.waits }),
      };
    case 'host-failed':
      return { type: event.type, host: event.host, failure: failureToJson(event.failure) };
    case 'run-started':
    case 'host-connecting':
    case 'host-probed':
    case 'file-diff':
    case 'host-waiting':
    case 'stage-waiting':
    case 'stage-started':
    case 'resource-started':
    case 'resource-output':
    case 'resource-changed':
    case 'stage-skipped':
    case 'host-done':
    case 'verify-started':
    case 'verify-checked':
    case 'run-done':
      // Plain values only: what is added to one of these events later is meant to be read.
      return { ...event };
  }
}

/** A failure as plain data; without its cause, which may hold anything. */
export function failureToJson(failure: Failure): Readonly<Record<string, unknown>> {
  const { reason, message, host, resource, expected, found, output, remedy } = failure.details;
  return { reason, message, host, resource, expected, found, output, remedy };
}
