import type { RunEvent, RunRecap } from '../run/event.js';
import type { Style } from './style.js';
import { bytes, cut, duration, table } from './text.js';

/** Resources listed as the slowest. */
const SLOWEST = 10;

interface Timed {
  readonly host: string;
  readonly key: string;
  readonly milliseconds: number;
}

/** Collects what `--profile` shows: where the time of a run went. */
export class Profile {
  readonly #resources: Timed[] = [];

  /** Takes note of an event. */
  add(event: RunEvent): void {
    if (event.type !== 'resource-changed') return;
    this.#resources.push({ host: event.host, key: event.key, milliseconds: event.milliseconds });
  }

  /** Connect, probe and apply per host with what it cost on the wire; then the slowest resources. */
  lines(recap: RunRecap, width: number, style: Style): readonly string[] {
    const heading = [
      'host',
      'connect',
      'probe',
      'apply',
      'connections',
      'execs',
      'sent',
      'received',
    ];
    const rows = recap.hosts.map(({ host, milliseconds, wire }) => [
      host,
      duration(milliseconds.connect),
      duration(milliseconds.probe),
      duration(milliseconds.apply),
      String(wire.connections),
      String(wire.execs),
      bytes(wire.bytesSent),
      bytes(wire.bytesReceived),
    ]);
    const [first, ...others] = table([heading, ...rows], [1, 2, 3, 4, 5, 6, 7]).map((line) =>
      cut(line, width),
    );
    const hosts = ['', style.strong('Where the time went'), style.dim(first ?? ''), ...others];
    return [...hosts, ...this.#slowest(width, style)];
  }

  #slowest(width: number, style: Style): readonly string[] {
    const slowest = this.#resources
      .toSorted((a, b) => b.milliseconds - a.milliseconds)
      .slice(0, SLOWEST);
    if (slowest.length === 0) return [];
    const rows = slowest.map((t) => [duration(t.milliseconds), t.host, t.key]);
    return ['', style.strong('Slowest'), ...table(rows, [0]).map((line) => cut(line, width))];
  }
}
