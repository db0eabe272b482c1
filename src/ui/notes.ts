import type { RunEvent } from '../run/event.js';
import { plural } from './text.js';

/** Collects what is worth one line at the end of a run instead of one per host and pass. */
export class Notes {
  /** The last look at each host: what was not applicable at the first may be after a change. */
  readonly #last = new Map<string, RunEvent & { type: 'host-planned' }>();

  /** Takes note of an event. */
  add(event: RunEvent): void {
    if (event.type === 'host-planned') this.#last.set(event.host, event);
  }

  /**
   * One line for each reason why something is not applicable, for each role left over, and each restart that waits.
   * @param pruned the run has already stopped what removed roles left
   */
  lines(pruned: boolean): readonly string[] {
    const reasons = new Map<string, { keys: Set<string>; hosts: Set<string> }>();
    const roles = new Map<string, Set<string>>();
    for (const event of this.#last.values()) {
      for (const { key, why } of event.skipped) {
        const group = reasons.get(why) ?? { keys: new Set(), hosts: new Set() };
        group.keys.add(key);
        group.hosts.add(event.host);
        reasons.set(why, group);
      }
      for (const role of event.leftOver) {
        roles.set(role, (roles.get(role) ?? new Set()).add(event.host));
      }
    }
    const skipped = [...reasons].map(
      ([why, { keys, hosts }]) => `not applicable (${why}): ${countKinds(keys)} on ${named(hosts)}`,
    );
    const waiting = [...this.#last.values()].flatMap(({ host, waits }) =>
      waits === undefined ? [] : [`${host}: ${waits}`],
    );
    if (pruned) return [...skipped, ...waiting];
    const leftOver = [...roles].map(
      ([role, hosts]) =>
        `left over from the role ${role} on ${named(hosts)}: apply --prune stops it and keeps its data`,
    );
    return [...skipped, ...leftOver, ...waiting];
  }
}

function named(hosts: ReadonlySet<string>): string {
  return hosts.size <= 3 ? [...hosts].join(', ') : plural(hosts.size, 'host');
}

/** `2 sysctl, 1 unit`: with many the names would fill the screen on every run; `--json` has them. */
function countKinds(keys: ReadonlySet<string>): string {
  const kinds = [...keys].map((key) => key.slice(0, key.indexOf(':')));
  return [...new Set(kinds)]
    .map((kind) => `${String(kinds.filter((k) => k === kind).length)} ${kind}`)
    .join(', ');
}
