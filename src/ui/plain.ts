import { formatFailure } from '../failure/failure.js';
import { keyOf, type Change, type Key } from '../resource/kind.js';
import type { Stage } from '../role/role.js';
import type { RunEvent } from '../run/event.js';
import { describeChange } from './change.js';
import { diffLines } from './diff.js';
import { Ending } from './ending.js';
import { unreachable, type Output, type OutputOptions } from './output.js';
import { isMany, plannedLines } from './planned.js';
import { isWaiting, parseProgress } from './progress.js';
import { Still } from './still.js';
import { duration, plural, printable } from './text.js';

/** Milliseconds from which a change is worth its own line even among many. */
const SLOW = 5000;

/** Milliseconds of a host's silence after which it is told what it is still at. */
const SILENCE = 30_000;
/** After these nothing runs on the host for the moment. */
const QUIET_FROM: ReadonlySet<RunEvent['type']> = new Set([
  'resource-changed',
  'stage-waiting',
  'stage-skipped',
  'host-failed',
  'host-done',
  'host-probed',
] as const);

interface HostState {
  /** By key; what is changed in two parts has two. */
  readonly changes: ReadonlyMap<Key, Change[]>;
  readonly many: boolean;
  stage:
    { readonly name: Stage; readonly resources: number; done: number; spent: number } | undefined;
  /** The last quarter of a long step that was reported. */
  quarter: number;
}

/** Lines for a pipe or a log: every line says its host, nothing is ever redrawn. */
export class PlainOutput implements Output {
  readonly #options: OutputOptions;
  readonly #write: (line: string) => void;
  readonly #ending: Ending;
  readonly #hosts = new Map<string, HostState>();
  readonly #still: Still;
  #check = false;

  /**
   * @param write gets one line, without its end
   * @param silence milliseconds after which a step that says nothing is told to be still running
   */
  constructor(options: OutputOptions, write: (line: string) => void, silence = SILENCE) {
    this.#options = options;
    this.#write = write;
    this.#ending = new Ending(options);
    this.#still = new Still(silence, (line) => this.note(line));
  }

  readonly emit = (event: RunEvent): void => {
    this.#ending.add(event);
    const lines = this.#lines(event);
    for (const line of lines) this.#write(this.#options.redact(line));
    this.#watch(event, lines.length > 0);
  };

  note(text: string): void {
    this.#write(this.#options.redact(text));
  }

  hold(): () => void {
    return () => undefined;
  }

  finish(): Promise<void> {
    this.#still.end();
    return Promise.resolve();
  }

  /** Keeps watch over what a host is at. */
  #watch(event: RunEvent, wrote: boolean): void {
    if (!('host' in event)) return;
    const { host } = event;
    const progress = event.type === 'resource-output' ? parseProgress(event.line) : undefined;
    if (event.type === 'resource-started') this.#still.started(host, event.key);
    else if (QUIET_FROM.has(event.type)) this.#still.ended(host);
    else if (progress !== undefined) {
      this.#still.at(host, `${String(progress.percent)} % ${printable(progress.what)}`.trimEnd());
    }
    if (wrote) this.#still.heard(host);
  }

  #lines(event: RunEvent): readonly string[] {
    const { style } = this.#options;
    switch (event.type) {
      case 'run-started':
        this.#check = event.check;
        return [
          `${event.cluster}: ${plural(event.hosts.length, 'host')}${event.check ? ', nothing is changed (--check)' : ''}`,
        ];
      case 'host-connecting':
      case 'host-probed':
      case 'resource-started':
      case 'host-done':
        return [];
      case 'host-planned':
        return this.#planned(event.host, event.changes, event.pass);
      case 'file-diff':
        return [`${event.host}: ${event.key}`, ...diffLines(event.diff, style)];
      case 'host-waiting':
        return [`${event.host}: waits for the last step of a killed run (${event.holder})`];
      case 'stage-waiting':
        return [`${event.host}: ${event.stage}: waits for ${event.for.join(', ')}`];
      case 'stage-started':
        return this.#stageStarted(event.host, event.stage, event.resources);
      case 'resource-output':
        return this.#progress(event.host, event.line);
      case 'resource-changed':
        return this.#changed(event.host, event.stage, event.key, event.milliseconds);
      case 'stage-skipped':
        return [`${event.host}: ${event.stage}: skipped, ${event.why}`];
      case 'host-failed':
        return style.bad(formatFailure(event.failure)).split('\n').map(printable);
      case 'verify-started':
        return [`checking that the cluster serves: ${plural(event.checks, 'check')}`];
      case 'verify-checked':
        return [
          `${event.host}: ${event.check}: ${event.ok ? style.good('ok') : style.bad('FAILED')}, ${printable(event.detail)}`,
        ];
      case 'run-done':
        return this.#ending.lines(event.recap);
      default:
        return unreachable(event);
    }
  }

  #planned(host: string, changes: readonly Change[], pass: number): readonly string[] {
    const { style, diff } = this.#options;
    const many = isMany(changes, diff);
    this.#hosts.set(host, {
      changes: byKey(changes),
      many,
      stage: undefined,
      quarter: 0,
    });
    if (!this.#check && !many) return [];
    const lines = plannedLines(host, changes, { check: this.#check, all: diff, style });
    return pass === 1 ? lines : lines.map((line) => `${line} (pass ${String(pass)})`);
  }

  #stageStarted(host: string, name: Stage, resources: number): readonly string[] {
    const state = this.#hosts.get(host);
    if (state === undefined) return [];
    state.stage = { name, resources, done: 0, spent: 0 };
    state.quarter = 0;
    return state.many ? [`${host}: ${name}: ${plural(resources, 'change')}`] : [];
  }

  #progress(host: string, line: string): readonly string[] {
    if (isWaiting(line)) return [`${host}: ${printable(line)}`];
    const state = this.#hosts.get(host);
    const progress = parseProgress(line);
    if (state?.stage === undefined || progress === undefined) return [];
    const quarter = Math.floor(progress.percent / 25);
    // The next part of the same step (download, then unpack) begins at nothing again.
    if (quarter === 0) state.quarter = 0;
    if (quarter <= state.quarter) return [];
    state.quarter = quarter;
    return [
      `${host}: ${state.stage.name}: ${String(progress.percent)} % ${printable(progress.what)}`,
    ];
  }

  #changed(host: string, stage: Stage, key: Key, milliseconds: number): readonly string[] {
    const { style } = this.#options;
    const state = this.#hosts.get(host);
    const change = state?.changes.get(key)?.shift();
    const what = change === undefined ? key : describeChange(change);
    const line = `${host}: ${stage}: ${style.changed(what)} (${duration(milliseconds)})`;
    const current = state?.stage;
    if (state === undefined || current === undefined) return [line];
    state.quarter = 0;
    current.done += 1;
    current.spent += milliseconds;
    if (!state.many) return [line];
    const lines = milliseconds >= SLOW ? [line] : [];
    if (current.done < current.resources) return lines;
    return [...lines, `${host}: ${stage}: ${style.good('done')} in ${duration(current.spent)}`];
  }
}

function byKey(changes: readonly Change[]): ReadonlyMap<Key, Change[]> {
  const found = new Map<Key, Change[]>();
  for (const change of changes) {
    const key = keyOf(change.resource);
    found.set(key, [...(found.get(key) ?? []), change]);
  }
  return found;
}
