import type { Gaps, Second } from './gaps.js';
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

/** One row of bars: what is counted, each second's count, and when nobody had a success. */
interface Panel {
  readonly label: string;
  readonly series: readonly Second[];
  readonly gaps: Gaps | undefined;
}

/**
 * A scenario drawn: saved writes of each second upwards, failed ones above them in red, the time in which
 * nobody could write; below it the same of users' requests; and a numbered line for everything that happened: the
 * numbers are those of the list below.
 */
export function timelineSvg(report: ScenarioReport): string {
  const { series, requests, marks, milliseconds, figures, users, title } = report;
  const panels: readonly Panel[] = [
    { label: 'writes', series, gaps: figures?.gaps },
    ...(requests.length === 0 ? [] : [{ label: 'requests', series: requests, gaps: users?.gaps }]),
  ];
  const length = Math.max(1, series.length, requests.length);
  const step = (WIDTH - LEFT) / length;
  const x = (seconds: number): number => round(LEFT + seconds * step);
  const drawn = panels.map((panel, index) => panelSvg(panel, TOP + index * PANEL, step, x));
  const ticks = panels.flatMap((_, index) => {
    const bottom = TOP + index * PANEL + HEIGHT;
    return tickSeconds(length).map(
      (second) =>
        `<text class="tick" x="${x(second)}" y="${bottom + 14}">${second} s</text><line class="tick" x1="${x(second)}" x2="${x(second)}" y1="${bottom}" y2="${bottom + 3}"/>`,
    );
  });
  const end = TOP + (panels.length - 1) * PANEL + HEIGHT + AXIS + 12;
  const lines = marks.map(({ at, kind, text, host }, index) => {
    const place = x(Math.min(at, milliseconds) / 1000);
    // Neighbours in time stand below each other.
    const row = end + (index % 4) * 13;
    return `<g class="${kind}"><title>${xml(`${host}: ${text}`)}</title><line x1="${place}" x2="${place}" y1="${TOP}" y2="${row - 9}"/><text x="${place}" y="${row}">${index + 1}</text></g>`;
  });
  const what = panels.length > 1 ? 'Writes and requests per second' : 'Writes per second';
  return `<svg viewBox="0 0 ${WIDTH + 10} ${end + 4 * 13}" role="img" aria-label="${xml(`${what}: ${title}`)}">
${drawn.join('\n')}
${ticks.join('')}
${lines.join('\n')}
</svg>`;
}

function panelSvg(
  { label, series, gaps }: Panel,
  top: number,
  step: number,
  x: (seconds: number) => number,
): string {
  const most = Math.max(1, ...series.map(({ saved, failed }) => saved + failed));
  const bottom = top + HEIGHT;
  const high = (count: number): number => round((count / most) * HEIGHT);
  const width = round(Math.max(1, step - 1));
  const bars = series.map(({ saved, failed }, second) => {
    const bar = (colour: string, from: number, count: number): string =>
      count === 0
        ? ''
        : `<rect class="${colour}" x="${x(second)}" y="${round(bottom - high(from) - high(count))}" width="${width}" height="${high(count)}"/>`;
    return bar('saved', 0, saved) + bar('failed', saved, failed);
  });
  const gap =
    gaps === undefined || gaps.all < 1000
      ? ''
      : `<rect class="gap" x="${x(gaps.allFrom / 1000)}" y="${top}" width="${round((gaps.all / 1000) * step)}" height="${HEIGHT}"/>`;
  return `<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${bottom}" y2="${bottom}"/>
<text class="scale" x="${LEFT - 5}" y="${top + 8}">${most}/s</text><text class="scale" x="${LEFT - 5}" y="${bottom}">0</text>
<text class="label" x="${LEFT + 2}" y="${top - 3}">${label}</text>
${gap}${bars.join('')}`;
}

/** At most about ten ticks, at round seconds. */
function tickSeconds(length: number): readonly number[] {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((each) => length / each <= 10) ?? 1200;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
