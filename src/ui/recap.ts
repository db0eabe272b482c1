import type { HostRecap, RunRecap } from '../run/event.js';
import type { Style } from './style.js';
import { duration, plural, table } from './text.js';

/** What the recap's figures do not say by themselves. */
export interface RecapContext {
  readonly cluster: string;
  /** A dry run: says what would change. */
  readonly check: boolean;
  /** Something was begun to be changed, whether it came to its end or not. */
  readonly begun: boolean;
  /** Checks of the serving cluster that went wrong. */
  readonly failedChecks: number;
  readonly style: Style;
}

/** The end of a run: a line per host, then the sum. */
export function recapLines(recap: RunRecap, context: RecapContext): readonly string[] {
  const { check, style } = context;
  const heading = check
    ? ['host', 'as it should be', 'would change', 'failed', 'skipped', '']
    : ['host', 'unchanged', 'changed', 'failed', 'skipped', ''];
  const [first, ...rows] = table(
    [heading, ...recap.hosts.map((host) => cells(host, check))],
    [1, 2, 3, 4],
  );
  const sum = { ...recap, failed: recap.failed + context.failedChecks };
  return [
    style.dim(first ?? ''),
    ...rows.map((row, i) => colourOf(recap.hosts[i], style)(row)),
    colourOf(sum, style)(sentence(recap, context)),
  ];
}

function cells(host: HostRecap, check: boolean): readonly string[] {
  if (host.unreachable) return [host.host, '-', '-', '-', '-', 'unreachable'];
  return [
    host.host,
    // What was changed is as it should be in the end, and counted by the last look.
    String(check ? host.ok : Math.max(0, host.ok - host.changed)),
    String(host.changed),
    String(host.failed),
    String(host.skipped),
    host.interrupted ? 'interrupted' : host.waiting ? 'not restarted' : '',
  ];
}

function sentence(recap: RunRecap, { cluster, check, begun, failedChecks }: RecapContext): string {
  // What broke off may have restarted a server.
  const brokeOff = begun && recap.failed + recap.unreachable + recap.interrupted > 0;
  const nothing = check
    ? 'nothing would change'
    : brokeOff
      ? 'no change was completed'
      : 'nothing changed';
  const some = `${plural(recap.changed, 'change')} ${check ? 'to make' : 'made'}`;
  const parts = [recap.changed === 0 ? nothing : some];
  if (recap.failed > 0) parts.push(`${plural(recap.failed, 'host')} failed`);
  if (recap.unreachable > 0) parts.push(`${plural(recap.unreachable, 'host')} unreachable`);
  if (recap.interrupted > 0) parts.push(`${plural(recap.interrupted, 'host')} interrupted`);
  if (recap.waiting > 0) parts.push(`${plural(recap.waiting, 'restart')} not made`);
  if (failedChecks > 0) parts.push(`${plural(failedChecks, 'check')} failed`);
  return `${cluster}: ${parts.join(', ')}, in ${duration(recap.milliseconds)}`;
}

function colourOf(
  result:
    | Pick<HostRecap | RunRecap, 'changed' | 'failed' | 'unreachable' | 'interrupted' | 'waiting'>
    | undefined,
  style: Style,
): (text: string) => string {
  if (result === undefined) return (text) => text;
  const { failed, unreachable, interrupted, waiting } = result;
  if (failed + Number(unreachable) + Number(interrupted) + Number(waiting) > 0) return style.bad;
  return result.changed > 0 ? style.changed : style.good;
}
