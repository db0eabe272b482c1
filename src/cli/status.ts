import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusLook } from '../../playbooks/status.js';
import { Failure } from '../failure/failure.js';
import { selectHosts } from '../run/select.js';
import type { ClusterStatus } from '../status/model.js';
import { judge, type Judgement } from '../status/rules.js';
import { nameInventory } from '../ui/named-inventory.js';
import { statusLines } from '../ui/status.js';
import { statusToJson } from '../ui/status-json.js';
import { openScreen, type Screen } from '../ui/screen.js';
import { print, stdoutStyle, stdoutWidth, tell } from '../ui/terminal.js';
import type { HostFlags } from './apply.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { listenForInterrupt } from './interrupt.js';
import { loadCluster } from './load-inventory.js';
import { passphraseAsker } from './passphrase.js';

export interface StatusFlags extends HostFlags, BecomeFlags {
  readonly concurrency: number;
  readonly json?: true;
  /** Seconds between two looks; `true` where none were given. */
  readonly watch?: number | true;
}

/** Seconds between two looks where --watch says none: what `watch` has. */
const PAUSE = 2;

/** `odoo-prov status FILE`: exit 0 well, 3 something is wrong, 4 a host is unreachable. */
export async function status(file: string, flags: StatusFlags): Promise<void> {
  const json = flags.json === true;
  const cluster = loadCluster(file, json);
  const hosts = selectHosts(cluster, flags.limit ?? [], flags.role ?? []);
  const isTerminal = (process.stdout.isTTY as boolean | undefined) === true;
  if (flags.watch !== undefined && !json && !isTerminal) throw noScreen();
  const password = await becomePassword(flags);
  const askPassphrase = passphraseAsker(() => () => undefined);
  const interrupt = listenForInterrupt(() => undefined);
  // Loaded last: a mistake in the inventory is told without the SSH library.
  const { StatusLook } = await import('../../playbooks/status.js');
  const show = { json, judge: (seen: ClusterStatus) => judgeIn(file, seen) };
  const look = new StatusLook(cluster, {
    hosts,
    concurrency: flags.concurrency,
    connect: {
      signal: interrupt.stop,
      onNewHostKey: (host, fingerprint) =>
        tell(`${host}: its new host key ${fingerprint} was recorded`),
      ...(password === undefined ? {} : { becomePassword: password }),
      ...(askPassphrase === undefined ? {} : { askPassphrase }),
    },
  });
  try {
    if (flags.watch === undefined) process.exitCode = await showOnce(look, show);
    else await showAgain(look, show, flags.watch === true ? PAUSE : flags.watch, interrupt.stop);
  } finally {
    interrupt.release();
    await look.close();
  }
}

/** What a look means, with commands that can be pasted. */
function judgeIn(file: string, seen: ClusterStatus): Judgement {
  const { alerts, exitCode } = judge(seen);
  const named = alerts.map((alert) => ({ ...alert, next: nameInventory(alert.next, file) }));
  return { alerts: named, exitCode };
}

/** How looks are shown. */
interface Showing {
  readonly json: boolean;
  readonly judge: (seen: ClusterStatus) => Judgement;
}

/** Looks once and prints it. @returns the exit code */
async function showOnce(look: StatusLook, { json, judge }: Showing): Promise<number> {
  const seen = await look.look();
  const judgement = judge(seen);
  if (json) print(JSON.stringify(statusToJson(seen, judgement)));
  else {
    const view = { width: stdoutWidth(), style: stdoutStyle() };
    print(statusLines(seen, judgement, view).join('\n'));
  }
  return judgement.exitCode;
}

/** Looks until it is stopped, which is no failure. @param pause seconds between two looks */
async function showAgain(
  look: StatusLook,
  show: Showing,
  pause: number,
  stop: AbortSignal,
): Promise<void> {
  let screen: Screen | undefined;
  try {
    while (!stop.aborted) {
      if (show.json) await showOnce(look, show);
      else {
        const seen = await look.look();
        const judgement = show.judge(seen);
        const style = stdoutStyle();
        // Opened now, so that passphrases and host keys were asked for and told before.
        screen ??= openScreen(process.stdout);
        screen.draw((width) => statusLines(seen, judgement, { width, style }));
      }
      await sleep(pause * 1000, undefined, { signal: stop });
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    screen?.close();
  }
}

function noScreen(): Failure {
  return new Failure({
    reason: 'usage',
    message: '--watch draws on a terminal, and standard output is none',
    remedy: 'leave --watch out, or add --json for a line a look',
  });
}
