import type { Pause, Second } from './gaps.js';
import { xml } from './report-junit.js';
import type { ScenarioReport } from './report.js';

const WIDTH = 900;
const LEFT = 44;
const TOP = 14;
const HEIGHT = 120;
/** Below each panel: the seconds. */
const AXIS = 20;
/** From the top of one panel to the next one's. */
const PANEL = HEIGHT + AXIS + TOP;
/** Below all panels: the numbers of what happened. A row's height, and the width that one number needs. */
const ROW = 13;
const NUMBER = 17;
/** Seconds: what is left after the last whole second is drawn as a part of it if it is shorter. */
const SHORT = 0.5;

/** One row of bars: what is counted, each second's count, and when nobody had a success. */
interface Panel {
  readonly label: string;
  readonly series: readonly Second[];
  readonly pauses: readonly Pause[];
}

/**
 * A scenario drawn: saved writes of each second upwards, failed ones above them in red, the times in which
 * nobody could write; below it the same of users' requests; and a numbered line for everything that happened: the
 * numbers are those of the list below.
 */
export function timelineSvg(report: ScenarioReport): string {
  const { series, requests, marks, milliseconds, figures, users, title } = report;
  const panels: readonly Panel[] = [
    { label: 'writes', series, pauses: figures?.gaps.pauses ?? [] },
    ...(requests.length === 0
      ? []
      : [{ label: 'requests', series: requests, pauses: users?.gaps.pauses ?? [] }]),
  ];
  const length = Math.max(1, milliseconds / 1000);
  const step = (WIDTH - LEFT) / length;
  const x = (seconds: number): number => round(LEFT + seconds * step);
  const drawn = panels.map((panel, index) => panelSvg(panel, TOP + index * PANEL, length, x));
  const ticks = panels.flatMap((_, index) => {
    const bottom = TOP + index * PANEL + HEIGHT;
    return tickSeconds(length).map(
      (second) =>
        `<text class="tick" x="${x(second)}" y="${bottom + 14}">${second} s</text><line class="tick" x1="${x(second)}" x2="${x(second)}" y1="${bottom}" y2="${bottom + 3}"/>`,
    );
  });
  const end = TOP + (panels.length - 1) * PANEL + HEIGHT + AXIS + 12;
  const places = marks.map(({ at }) => x(Math.min(at, milliseconds) / 1000));
  const rows = rowsOf(places);
  const lines = marks.map(({ kind, text, host }, index) => {
    const place = places[index] ?? LEFT;
    const row = end + (rows[index] ?? 0) * ROW;
    return `<g class="${kind}"><title>${xml(`${host}: ${text}`)}</title><line x1="${place}" x2="${place}" y1="${TOP}" y2="${row - 9}"/><text x="${place}" y="${row}">${index + 1}</text></g>`;
  });
  const high = end + (Math.max(0, ...rows) + 1) * ROW;
  const what = panels.length > 1 ? 'Writes and requests per second' : 'Writes per second';
  return `<svg viewBox="0 0 ${WIDTH + 20} ${high}" role="img" aria-label="${xml(`${what}: ${title}`)}">
${drawn.join('\n')}
${ticks.join('')}
${lines.join('\n')}
</svg>`;
}

/** For each number the first row in which it does not cover its neighbour. @param places ascending */
function rowsOf(places: readonly number[]): readonly number[] {
  const last: number[] = [];
  return places.map((place) => {
    const free = last.findIndex((before) => place - before >= NUMBER);
    const row = free === -1 ? last.length : free;
    last[row] = place;
    return row;
  });
}

/** A bar: what was counted from then on, for so many seconds, as a rate. */
interface Bar {
  readonly from: number;
  readonly seconds: number;
  readonly saved: number;
  readonly failed: number;
}

/** A bar a second. The last second was cut by the scenario's end: as a whole one it would look as a drop. */
function barsOf(series: readonly Second[], length: number): readonly Bar[] {
  const whole = series.slice(0, -1).map((each, from) => ({ ...each, from, seconds: 1 }));
  const before = whole.at(-1);
  const last = series.at(-1);
  if (last === undefined) return [];
  const seconds = length - whole.length;
  if (seconds >= SHORT || before === undefined) {
    const { saved, failed } = last;
    return [...whole, rate({ from: whole.length, seconds, saved, failed })];
  }
  const both = { saved: before.saved + last.saved, failed: before.failed + last.failed };
  return [...whole.slice(0, -1), rate({ from: before.from, seconds: 1 + seconds, ...both })];
}

function rate({ from, seconds, saved, failed }: Bar): Bar {
  return { from, seconds, saved: saved / seconds, failed: failed / seconds };
}

/** @param length of the scenario, in seconds */
function panelSvg(
  { label, series, pauses }: Panel,
  top: number,
  length: number,
  x: (seconds: number) => number,
): string {
  const drawn = barsOf(series, length);
  const most = Math.max(1, ...drawn.map(({ saved, failed }) => saved + failed));
  const bottom = top + HEIGHT;
  const high = (count: number): number => round((count / most) * HEIGHT);
  const bars = drawn.map(({ from: second, seconds, saved, failed }) => {
    const width = round(Math.max(1, x(second + seconds) - x(second) - 1));
    const bar = (colour: string, from: number, count: number): string =>
      count === 0
        ? ''
        : `<rect class="${colour}" x="${x(second)}" y="${round(bottom - high(from) - high(count))}" width="${width}" height="${high(count)}"/>`;
    return bar('saved', 0, saved) + bar('failed', saved, failed);
  });
  const shaded = pauses.map(({ from, length: pause }) => {
    const [begin, end] = [x(from / 1000), x((from + pause) / 1000)];
    return `<rect class="gap" x="${begin}" y="${top}" width="${round(end - begin)}" height="${HEIGHT}"/>`;
  });
  return `<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${bottom}" y2="${bottom}"/>
<text class="scale" x="${LEFT - 5}" y="${top + 8}">${Math.round(most)}/s</text><text class="scale" x="${LEFT - 5}" y="${bottom}">0</text>
<text class="label" x="${LEFT + 2}" y="${top - 3}">${label}</text>
${shaded.join('')}${bars.join('')}`;
}

/** At most about ten ticks, at round seconds. */
function tickSeconds(length: number): readonly number[] {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((each) => length / each <= 10) ?? 1200;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
