import { raw } from '../shell/index.js';

/*
 * A recovery to a time ends at the first transaction after it. Where the archive has none, PostgreSQL breaks off: it cannot tell
 * whether all that was wanted was there.
 */

const ENDS = 'the archive ends at ';

/** Shell function `say_end LOG`: says of a recovery that broke off because the archive ended before its target where that was. */
export const sayEnd = raw(`say_end() {
  tail -n 30 "$1" | grep -q 'recovery ended before configured recovery target was reached' || return 0
  time=$(tail -n 30 "$1" | sed -n 's/.*last completed transaction was at log time //p' | tail -n 1)
  echo "${ENDS}\${time:-the end of the backup}" >&2
}`);

/** What {@link sayEnd} said: the time of the last transaction that was there. Undefined where it was for another reason. */
export function endIn(output: string): string | undefined {
  const line = output.split('\n').find((text) => text.startsWith(ENDS));
  return line?.slice(ENDS.length);
}
