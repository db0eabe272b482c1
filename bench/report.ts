import type { Result } from './contenders.js';
import { spread } from './statistics.js';

/** All runs of one contender, in the order of the rounds. */
export interface Series {
  readonly name: string;
  readonly results: readonly Result[];
}

/** Processor time, memory and wall time of all contenders, side by side. */
export function costTable(series: readonly Series[], floor: Series): string {
  const head = ['', 'wall s: min', 'median', 'max', '÷ floor 2', 'client CPU s', 'machine CPU s'];
  const rows = series.map(({ name, results }) => {
    const wall = spread(results.map((r) => r.wall));
    return [
      name,
      ...[wall.min, wall.median, wall.max].map(two),
      two(ratio(results, floor.results)),
      two(middle(results, (r) => r.cpu)),
      two(middle(results, (r) => r.machineCpu)),
      String(Math.round(middle(results, (r) => r.peakMemory) / 1024 ** 2)),
    ];
  });
  return table([[...head, 'peak MiB'], ...rows]);
}

/** What goes over the wire for one host, in the middle of all hosts and rounds. */
export function wireTable(series: readonly Series[], hosts: number): string {
  const head = ['per host', 'connections', 'execs', 'bytes sent', 'bytes received', 'round trips'];
  const rows = series.map(({ name, results }) => {
    const sockets = results.flatMap((r) => r.sockets);
    const of = (figure: 'sent' | 'received' | 'roundTrips'): string =>
      String(Math.round(spread(sockets.map((s) => s[figure])).median));
    return [
      name,
      String(middle(results, (r) => r.sockets.length) / hosts),
      String(middle(results, (r) => r.execs) / hosts),
      of('sent'),
      of('received'),
      of('roundTrips'),
    ];
  });
  return table([head, ...rows]);
}

/**
 * The middle of the quotients round by round: what the machine does besides slows down both runs of a round
 * alike.
 */
export function ratio(results: readonly Result[], floor: readonly Result[]): number {
  return spread(results.map((r, i) => r.wall / (floor[i]?.wall ?? Number.NaN))).median;
}

/** Where the tool's wall time goes, in the middle of the rounds. */
export function insideTable({ results }: Series, nodeStart: number): string {
  const inside = (of: 'run' | 'connect' | 'probe'): number =>
    middle(results, (r) => r.inside?.[of] ?? Number.NaN);
  const outside = middle(results, (r) => r.wall) - inside('run');
  return table([
    ['of odoo-prov apply', 'wall s'],
    ['starting node (node -e 0)', two(nodeStart)],
    ['before and after the run: modules, inventory, secrets', two(outside - nodeStart)],
    ['the run itself', two(inside('run'))],
    ['  slowest host: connect and log in', two(inside('connect'))],
    ['  slowest host: the probe', two(inside('probe'))],
  ]);
}

function middle(results: readonly Result[], of: (result: Result) => number): number {
  return spread(results.map(of)).median;
}

export function two(value: number): string {
  return value.toFixed(2);
}

/** Columns as wide as their widest cell; the first to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => (r[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
