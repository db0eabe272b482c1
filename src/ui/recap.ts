import type { HostRecap, RunRecap } from '../run/event.js';
import type { Style } from './style.js';
import { duration, plural, table } from './text.js';

/** What the recap's figures do not say by themselves. */
export interface RecapContext {
  readonly cluster: string;
  /** A dry run: says what would change. */
  readonly check: boolean;
  /** Checks of the serving cluster that went wrong. */
  readonly failedChecks: number;
  readonly style: Style;
}

/** The end of a run: a line per host, then the sum. */
export function recapLines(recap: RunRecap, context: RecapContext): readonly string[] {
  const { check, style } = context;
  const heading = ['host', 'ok', check ? 'would change' : 'changed', 'failed', 'skipped', ''];
  const [first, ...rows] = table([heading, ...recap.hosts.map(cells)], [1, 2, 3, 4]);
  const sum = { ...recap, failed: recap.failed + context.failedChecks };
  return [
    style.dim(first ?? ''),
    ...rows.map((row, i) => colourOf(recap.hosts[i], style)(row)),
    colourOf(sum, style)(sentence(recap, context)),
  ];
}

function cells(host: HostRecap): readonly string[] {
  if (host.unreachable) return [host.host, '-', '-', '-', '-', 'unreachable'];
  return [
    host.host,
    String(host.ok),
    String(host.changed),
    String(host.failed),
    String(host.skipped),
    '',
  ];
}

function sentence(recap: RunRecap, { cluster, check, failedChecks }: RecapContext): string {
  const nothing = check ? 'nothing would change' : 'nothing changed';
  const some = `${plural(recap.changed, 'change')} ${check ? 'to make' : 'made'}`;
  const parts = [recap.changed === 0 ? nothing : some];
  if (recap.failed > 0) parts.push(`${plural(recap.failed, 'host')} failed`);
  if (recap.unreachable > 0) parts.push(`${plural(recap.unreachable, 'host')} unreachable`);
  if (failedChecks > 0) parts.push(`${plural(failedChecks, 'check')} failed`);
  return `${cluster}: ${parts.join(', ')}, in ${duration(recap.milliseconds)}`;
}

function colourOf(
  result: { changed: number; failed: number; unreachable: number | boolean } | undefined,
  style: Style,
): (text: string) => string {
  if (result === undefined) return (text) => text;
  if (result.failed > 0 || Number(result.unreachable) > 0) return style.bad;
  return result.changed > 0 ? style.changed : style.good;
}
