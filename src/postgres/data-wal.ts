import { PAST_FORK_FILE } from './layout.js';

/** A position in the WAL, `1A/2B3C`, on a timeline. */
export interface WalPoint {
  readonly timeline: number;
  readonly lsn: string;
}

/** What a data folder says of its WAL by itself, also where no server runs on it. */
export interface DataWal {
  /** Where the record of its latest checkpoint begins. */
  readonly checkpoint: WalPoint;
  /** Up to where a standby has replayed at least, known for certain once it was shut down; 0/0 of a primary. */
  readonly replayed: WalPoint;
  /** The timeline on which its WAL goes past the fork, as its guard has found; undefined where it has not. */
  readonly marked: number | undefined;
  /** The newest timeline of which it has a history, and where those that it comes from were left. */
  readonly history: { readonly timeline: number; readonly ends: readonly WalPoint[] };
}

/** Shell: `wal_of BIN DATA` prints a line that {@link parseDataWal} reads. */
export const WAL_OF = `
wal_of() {
  history=$(ls "$2/pg_wal" 2>/dev/null | grep '^[0-9A-F]\\{8\\}[.]history$' | sort | tail -n 1)
  history=\${history%.history}
  "$1/pg_controldata" "$2" | awk -F ': *' '
    /^Latest checkpoint location/ { checkpoint = $2 }
    /^Latest checkpoint.s TimeLineID/ { timeline = $2 }
    /^Minimum recovery ending location/ { replayed = $2 }
    /^Min recovery ending loc.s timeline/ { until = $2 }
    END { printf "%s@%s %s@%s", timeline, checkpoint, until, replayed }'
  printf ' %d' "0x\${history:-0}"
  if [ -e "$2/${PAST_FORK_FILE}" ]; then printf ' past:%d' "$(cat "$2/${PAST_FORK_FILE}")"; fi
  if [ -n "$history" ]; then awk '/^[ \\t]*[0-9]/ { printf " %s@%s", $1, $2 }' "$2/pg_wal/$history.history"; fi
  echo
}`;

/** Reads what `wal_of` printed; undefined where it could not tell. */
export function parseDataWal(text = ''): DataWal | undefined {
  const [checkpoint, replayed, timeline = '', ...ends] = text.trim().split(' ');
  const [at, until] = [pointOf(checkpoint), pointOf(replayed)];
  if (at === undefined || until === undefined) return undefined;
  return {
    checkpoint: at,
    replayed: until,
    marked: ends.flatMap((end) => (end.startsWith('past:') ? Number(end.slice(5)) : []))[0],
    history: { timeline: Number(timeline), ends: ends.flatMap((end) => pointOf(end) ?? []) },
  };
}

function pointOf(text = ''): WalPoint | undefined {
  const [, timeline, lsn] = /^(\d+)@([0-9A-F]+\/[0-9A-F]+)$/i.exec(text) ?? [];
  return timeline === undefined || lsn === undefined
    ? undefined
    : { timeline: Number(timeline), lsn };
}
