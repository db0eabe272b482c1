import { Failure } from '../src/failure/failure.js';
import { endIn } from '../src/postgres/recovery-end.js';
import {
  postgresTime,
  type Recoverable,
  type RecoveryTarget,
} from '../src/postgres/recovery-plan.js';

/** When a target was, in seconds since 1970; undefined: the latest moment. */
export function momentOf(known: Recoverable, target: RecoveryTarget): number | undefined {
  if (target.type === 'time') return target.at;
  if (target.type === 'latest') return undefined;
  return known.history.points.findLast(({ name }) => name === target.name)?.at;
}

/** A target, for people. */
export function targetText(target: RecoveryTarget): string {
  if (target.type === 'latest') return 'the latest moment in the archive';
  return target.type === 'name' ? `the restore point ${target.name}` : postgresTime(target.at);
}

/** A target as `restore` is told it. */
export function targetWords(target: RecoveryTarget): string {
  if (target.type === 'latest') return '--latest';
  return target.type === 'name'
    ? `--to-name ${target.name}`
    : `--to-time '${postgresTime(target.at)}'`;
}

/** @throws Failure usage for a moment that has not been yet */
export function requirePast(target: RecoveryTarget): void {
  if (target.type !== 'time' || target.at <= Date.now() / 1000) return;
  throw new Failure({
    reason: 'usage',
    message: `${postgresTime(target.at)} has not been yet`,
    remedy: 'give a moment in the past; a time without a zone is one of this machine',
  });
}

/**
 * The same, but that a recovery broke off since the archive ends before its target is said in words.
 * @param also what else there is to know then
 */
export async function explainingEnd(
  recovery: Promise<string>,
  target: RecoveryTarget,
  also: string,
): Promise<string> {
  try {
    return await recovery;
  } catch (error) {
    const end = error instanceof Failure ? endIn(error.details.output ?? '') : undefined;
    if (!(error instanceof Failure) || end === undefined) throw error;
    throw new Failure({
      ...error.details,
      message: 'the archive ends before the wanted moment',
      expected: `a transaction after ${targetText(target)}, which tells where to stop`,
      found: `the last one in the archive is of ${end}`,
      remedy: `a moment before that, or --latest: all that is there. ${also}`,
      cause: error,
    });
  }
}
