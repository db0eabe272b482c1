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
