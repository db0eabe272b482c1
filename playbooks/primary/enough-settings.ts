import { Failure } from '../../src/failure/failure.js';
import { lessText, lessThan, type HotStandbyValues } from '../../src/postgres/hot-standby.js';
import type { Sight } from '../../src/postgres/promotion.js';

/** Who follows another one, and with what. */
interface Move {
  readonly from: Sight;
  readonly to: Sight;
  readonly others: readonly Sight[];
}

/**
 * Sees that after a switchover everybody can follow: a standby with less than its primary of some settings replays nothing, or
 * does not start. The old primary is restarted by the move, so what its files say counts; and it needs what it had itself.
 * @throws Failure refused, with the hosts, the settings and both values
 */
export function requireEnough({ from, to, others }: Move): void {
  const own = lessThan(to.hotStandby, from.hotStandby);
  if (own.length > 0) throw tooLittleToLead(from, to, lessText(own));
  const old = lessThan(from.hotStandbyAtStart, mostOf(from.hotStandby, to.hotStandby));
  const short = [
    ...(old.length === 0 ? [] : [{ host: from.host, text: `would start with ${lessText(old)}` }]),
    ...withLess(to, others).map(({ host, text }) => ({ host, text: `runs with ${text}` })),
  ];
  const [first] = short;
  if (first === undefined) return;
  throw new Failure({
    reason: 'refused',
    host: first.host,
    message: `it could not follow ${to.host}, which has more of settings of which a standby needs as much as its primary`,
    expected: `every other database host with as much as ${to.host} runs with, ${from.host} when it is started again`,
    found: short.map(({ host, text }) => `${host} ${text}`).join('; '),
    remedy: remedyOf(from),
  });
}

/** A lowered setting is taken in by the primary first, then by its standbys; a raised one the other way round. */
function remedyOf({ host, hotStandby, hotStandbyAtStart }: Sight): string {
  return lessThan(hotStandbyAtStart, hotStandby).length > 0
    ? `\`odoo-prov apply FILE --restart-primary\`: a setting that is lowered is taken in by ${host} first. Then run this again`
    : `\`odoo-prov apply FILE\`: it gives all of them what the inventory says. Where it leaves the restart of ${host} to --restart-primary, that need not be: a switchover restarts it. Then run this again`;
}

/** What is told of those that pause once a standby is promoted by a failover, which waits for nobody. */
export function pausingText(candidate: Sight, others: readonly Sight[]): string[] {
  return withLess(candidate, others).map(
    ({ host, text }) =>
      `${host} runs with ${text}, as ${candidate.host} has it: it receives from ${candidate.host} and replays nothing until the apply that follows has restarted it with as much`,
  );
}

function withLess(
  { hotStandby }: Sight,
  others: readonly Sight[],
): readonly { readonly host: string; readonly text: string }[] {
  const byName = [...others].sort((a, b) => a.host.localeCompare(b.host));
  return byName.flatMap((other) => {
    const less = lessThan(other.hotStandby, hotStandby);
    return less.length === 0 ? [] : [{ host: other.host, text: lessText(less) }];
  });
}

function mostOf(one: HotStandbyValues, other: HotStandbyValues): HotStandbyValues {
  const names = Object.keys({ ...one, ...other });
  return Object.fromEntries(
    names.map((name) => [name, Math.max(one[name] ?? 0, other[name] ?? 0)]),
  );
}

function tooLittleToLead(from: Sight, { host }: Sight, less: string): Failure {
  return new Failure({
    reason: 'refused',
    host,
    message: `it has less than ${from.host}, its primary, of settings of which a standby needs as much: it replays nothing, and would end when it is promoted`,
    expected: `as much as ${from.host} runs with`,
    found: less,
    remedy: `\`odoo-prov apply FILE\` restarts ${host} with as much; then run this again`,
  });
}
