import { xml } from './report-junit.js';
import type { ScenarioReport } from './report.js';

const WIDTH = 900;
const LEFT = 44;
const TOP = 10;
const HEIGHT = 120;
/** Between the bars and the numbers of the marks. */
const AXIS = 20;

/**
 * A scenario drawn: saved writes of each second upwards, failed ones above them in red, the time in which
 * nobody could write, and a numbered line for everything that happened; the numbers are those of the list below.
 */
export function timelineSvg({
  series,
  marks,
  milliseconds,
  figures,
  title,
}: ScenarioReport): string {
  const length = Math.max(1, series.length);
  const most = Math.max(1, ...series.map(({ saved, failed }) => saved + failed));
  const step = (WIDTH - LEFT) / length;
  const x = (seconds: number): number => round(LEFT + seconds * step);
  const bottom = TOP + HEIGHT;
  const high = (count: number): number => round((count / most) * HEIGHT);
  const bars = series.map(({ saved, failed }, second) => {
    const width = round(Math.max(1, step - 1));
    const bar = (colour: string, from: number, count: number): string =>
      count === 0
        ? ''
        : `<rect class="${colour}" x="${x(second)}" y="${round(bottom - high(from) - high(count))}" width="${width}" height="${high(count)}"/>`;
    return bar('saved', 0, saved) + bar('failed', saved, failed);
  });
  const gap =
    figures === null || figures.gaps.all < 1000
      ? ''
      : `<rect class="gap" x="${x(figures.gaps.allFrom / 1000)}" y="${TOP}" width="${round((figures.gaps.all / 1000) * step)}" height="${HEIGHT}"/>`;
  const ticks = tickSeconds(length).map(
    (second) =>
      `<text class="tick" x="${x(second)}" y="${bottom + 14}">${second} s</text><line class="tick" x1="${x(second)}" x2="${x(second)}" y1="${bottom}" y2="${bottom + 3}"/>`,
  );
  const lines = marks.map(({ at, kind, text, host }, index) => {
    const place = x(Math.min(at, milliseconds) / 1000);
    // Neighbours in time stand below each other.
    const row = bottom + AXIS + 12 + (index % 4) * 13;
    return `<g class="${kind}"><title>${xml(`${host}: ${text}`)}</title><line x1="${place}" x2="${place}" y1="${TOP}" y2="${row - 9}"/><text x="${place}" y="${row}">${index + 1}</text></g>`;
  });
  const total = bottom + AXIS + 12 + 4 * 13;
  return `<svg viewBox="0 0 ${WIDTH + 10} ${total}" role="img" aria-label="${xml(`Writes per second: ${title}`)}">
<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${bottom}" y2="${bottom}"/>
<text class="scale" x="${LEFT - 5}" y="${TOP + 8}">${most}/s</text><text class="scale" x="${LEFT - 5}" y="${bottom}">0</text>
${gap}${bars.join('')}
${ticks.join('')}
${lines.join('\n')}
</svg>`;
}

/** At most about ten ticks, at round seconds. */
function tickSeconds(length: number): readonly number[] {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((each) => length / each <= 10) ?? 1200;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
