import type { HostRecap, RunEvent } from '../run/event.js';
import { realChanges } from './change.js';
import { unreachable } from './output.js';
import { isWaiting, parseProgress } from './progress.js';
import { plural, printable } from './text.js';

/** What one host is doing, for its line in the list. */
export interface HostStatus {
  readonly state: 'running' | 'done' | 'failed';
  readonly text: string;
  /** `app 3/34` while a stage runs. */
  readonly stage: string;
  readonly done: number;
  readonly resources: number;
  readonly check: boolean;
}

/** The status of a host of which nothing is known yet. */
export function initialStatus(check: boolean): HostStatus {
  return {
    state: 'running',
    text: 'waiting for its turn',
    stage: '',
    done: 0,
    resources: 0,
    check,
  };
}

/** The status after an event of this host; events that say nothing about a host leave it as it is. */
export function nextStatus(status: HostStatus, event: RunEvent): HostStatus {
  if (status.state !== 'running') return status;
  switch (event.type) {
    case 'host-connecting':
      return { ...status, text: 'connecting' };
    case 'host-probed':
      return { ...status, text: `looked at ${plural(event.resources, 'resource')}` };
    case 'host-planned':
      return { ...status, text: planned(realChanges(event.changes).length, status.check) };
    case 'host-waiting':
      return { ...status, text: `waits for the last step of a killed run (${event.holder})` };
    case 'stage-waiting':
      return { ...status, text: `${event.stage} waits for ${event.for.join(', ')}` };
    case 'stage-started':
      return working({ ...status, stage: event.stage, done: 0, resources: event.resources }, '');
    case 'resource-started':
      return working(status, event.key);
    case 'resource-output': {
      if (isWaiting(event.line)) return working(status, printable(event.line));
      const progress = parseProgress(event.line);
      if (progress === undefined) return status;
      return working(status, `${String(progress.percent)} % ${printable(progress.what)}`);
    }
    case 'resource-changed':
      return working({ ...status, done: status.done + 1 }, event.key);
    case 'stage-skipped':
      return { ...status, text: `${event.stage} skipped, ${event.why}` };
    case 'host-failed':
      return { ...status, state: 'failed', text: failed(event.failure.details) };
    case 'host-done':
      return { ...status, ...done(event.recap, status.check) };
    case 'run-started':
    case 'file-diff':
    case 'verify-started':
    case 'verify-checked':
    case 'run-done':
      return status;
    default:
      return unreachable(event);
  }
}

function planned(changes: number, check: boolean): string {
  if (changes === 0) return 'as it should be';
  return `${plural(changes, 'change')} ${check ? 'would be made' : 'to make'}`;
}

function working(status: HostStatus, what: string): HostStatus {
  const count = `${status.stage} ${String(status.done)}/${String(status.resources)}`;
  return { ...status, text: `${count} ${what}`.trimEnd() };
}

function failed({ resource, message }: { resource?: string; message: string }): string {
  return resource === undefined ? message : `${resource}: ${message}`;
}

function done(recap: HostRecap, check: boolean): Pick<HostStatus, 'state' | 'text'> {
  if (recap.unreachable) return { state: 'failed', text: 'unreachable' };
  if (recap.interrupted) return { state: 'failed', text: 'interrupted' };
  if (recap.failed > 0) return { state: 'failed', text: plural(recap.failed, 'failure') };
  if (recap.changed === 0) return { state: 'done', text: 'as it should be' };
  return {
    state: 'done',
    text: check ? planned(recap.changed, true) : `${plural(recap.changed, 'change')} made`,
  };
}
