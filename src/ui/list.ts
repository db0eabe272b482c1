import { formatFailure } from '../failure/failure.js';
import type { RunEvent } from '../run/event.js';
import { diffLines } from './diff.js';
import { Ending } from './ending.js';
import { initialStatus, nextStatus, type HostStatus } from './host-status.js';
import { liveLines, type LiveLine, type LiveLines, type Terminal } from './live-lines.js';
import type { Output, OutputOptions } from './output.js';
import { plannedLines } from './planned.js';
import { cut, duration, plural, printable } from './text.js';

/** Columns that listr2 needs for its icon, and one so that nothing wraps. */
const MARGIN = 5;

interface HostLine {
  status: HostStatus;
  readonly line: LiveLine;
  readonly started: number;
}

/**
 * A line per host on a terminal, redrawn in place: what it is doing and for how long. What is to stay
 * readable (changes, differences, failures, recap) is written below when the list is done.
 */
export class ListOutput implements Output {
  readonly #options: OutputOptions;
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #ending: Ending;
  readonly #hosts = new Map<string, HostLine>();
  readonly #below: string[] = [];
  #check = false;
  #nameWidth = 0;
  #checks: { line: LiveLine; total: number; done: number; bad: number } | undefined;
  #ticker: NodeJS.Timeout | undefined;
  /** Everything that is drawn, one after the other. */
  #drawn: Promise<void> = Promise.resolve();
  /** Questions that are being asked now. */
  #holds: Promise<void>[] = [];

  /** @param now milliseconds; a test gives its own clock */
  constructor(options: OutputOptions, terminal: Terminal, now: () => number = Date.now) {
    this.#options = options;
    this.#terminal = terminal;
    this.#now = now;
    this.#ending = new Ending(options);
  }

  readonly emit = (event: RunEvent): void => {
    this.#ending.add(event);
    this.#keep(event);
    if (event.type === 'run-started') this.#start(event.cluster, event.hosts, event.check);
    else if (event.type === 'verify-started') this.#startChecks(event.checks);
    else if (event.type === 'verify-checked') this.#checked(event.ok);
    else if (event.type === 'run-done') this.#end(this.#ending.lines(event.recap));
    else if ('host' in event) this.#update(event.host, event);
  };

  note(text: string): void {
    if (this.#ticker === undefined) this.#later([text]);
    else this.#below.push(text);
  }

  hold(): () => void {
    let release: () => void = () => undefined;
    this.#holds.push(new Promise((resolve) => (release = resolve)));
    return release;
  }

  async finish(): Promise<void> {
    this.#endLines();
    this.#later(this.#below.splice(0));
    await this.#drawn;
  }

  /** What is shown below the list, in the order in which it happened. */
  #keep(event: RunEvent): void {
    const { style, diff } = this.#options;
    if (event.type === 'host-planned') {
      const options = { check: this.#check, all: diff, style };
      this.#below.push(...plannedLines(event.host, event.changes, options));
    } else if (event.type === 'file-diff') {
      this.#below.push(`${event.host}: ${event.key}`, ...diffLines(event.diff, style));
    } else if (event.type === 'stage-skipped') {
      this.#below.push(`${event.host}: ${event.stage}: skipped, ${event.why}`);
    } else if (event.type === 'host-failed') {
      this.#below.push(...formatFailure(event.failure).split('\n').map(printable).map(style.bad));
    } else if (event.type === 'verify-checked' && !event.ok) {
      const what = `${event.host}: ${event.check}: FAILED, ${printable(event.detail)}`;
      this.#below.push(style.bad(what));
    }
  }

  #start(cluster: string, hosts: readonly string[], check: boolean): void {
    this.#check = check;
    this.#nameWidth = Math.max(...hosts.map((host) => host.length), 0);
    const line = `${cluster}: ${plural(hosts.length, 'host')}${check ? ', nothing is changed (--check)' : ''}`;
    this.#later([this.#options.style.strong(line)]);
    const [started, status] = [this.#now(), initialStatus(check)];
    const texts = hosts.map((host) => this.#title(host, status, 0));
    const list = liveLines(texts, this.#terminal);
    list.lines.forEach((line, i) => this.#hosts.set(hosts[i] ?? '', { status, line, started }));
    this.#draw(list);
    this.#ticker = setInterval(() => this.#tick(), 1000);
    // The run decides when the program ends, not its clock.
    this.#ticker.unref();
  }

  #draw(list: LiveLines): void {
    this.#drawn = this.#drawn.then(async () => {
      while (this.#holds.length > 0) await Promise.all(this.#holds.splice(0));
      await list.draw();
    });
  }

  #update(host: string, event: RunEvent): void {
    const entry = this.#hosts.get(host);
    if (entry?.status.state !== 'running') return;
    entry.status = nextStatus(entry.status, event);
    const title = this.#title(host, entry.status, this.#now() - entry.started);
    if (entry.status.state === 'running') entry.line.set(title);
    else entry.line.end(title, entry.status.state === 'done');
  }

  #tick(): void {
    for (const [host, { status, line, started }] of this.#hosts) {
      if (status.state === 'running') line.set(this.#title(host, status, this.#now() - started));
    }
  }

  #title(host: string, status: HostStatus, elapsed: number): string {
    const text = `${host.padEnd(this.#nameWidth)}  ${duration(elapsed).padStart(10)}  ${status.text}`;
    // Redacted before it is cut: half a secret would not be recognised.
    return cut(this.#options.redact(text), this.#options.width - MARGIN);
  }

  #startChecks(total: number): void {
    this.#endLines();
    const text = `checking that the cluster serves  0/${String(total)}`;
    const list = liveLines([text], this.#terminal);
    const [line] = list.lines;
    if (line === undefined || total === 0) return;
    this.#checks = { line, total, done: 0, bad: 0 };
    this.#draw(list);
  }

  #checked(ok: boolean): void {
    const checks = this.#checks;
    if (checks === undefined) return;
    checks.done += 1;
    if (!ok) checks.bad += 1;
    const bad = checks.bad === 0 ? '' : `, ${String(checks.bad)} failed`;
    const text = `checking that the cluster serves  ${String(checks.done)}/${String(checks.total)}${bad}`;
    if (checks.done < checks.total) checks.line.set(text);
    else checks.line.end(text, checks.bad === 0);
  }

  #end(lines: readonly string[]): void {
    this.#endLines();
    this.#later([...this.#below.splice(0), ...lines]);
  }

  /** Lines of hosts that never came to an end (an interrupted run) would keep the list waiting. */
  #endLines(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    for (const [host, { status, line, started }] of this.#hosts) {
      if (status.state === 'running') {
        line.end(this.#title(host, status, this.#now() - started), true);
      }
    }
    this.#hosts.clear();
    const checks = this.#checks;
    this.#checks = undefined;
    if (checks !== undefined && checks.done < checks.total)
      checks.line.end(checks.line.text, false);
  }

  #later(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#drawn = this.#drawn.then(() => {
      this.#terminal.stdout.write(`${this.#options.redact(lines.join('\n'))}\n`);
    });
  }
}
