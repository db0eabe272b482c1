/*
 * What a timeline changed after a position, from `pg_waldump`'s text (PostgreSQL 15 to 17). Whole tables are not
 * remembered, only where rows went away (block and item), so that this costs what was changed and not what is there.
 */

/**
 * awk: reads pg_waldump and writes a line for each thing that matters; `fork` is the position as sixteen digits.
 * `C`/`B` XID: committed after/before the fork. `t a|b XID REL`: wrote to a relation after/before it.
 * `g a|b XID REL (BLOCK,ITEM)`: a row version there was deleted or replaced. `m a|b XID REL`: made a relation's file;
 * with the number 0, a whole database. `A XID`: the next number at the first record of running transactions before the
 * fork. `N XID`: the next number at the fork.
 */
export const SCAN = String.raw`
BEGIN { OFMT = "%.0f"; CONVFMT = "%.0f" }
function hex16(lsn, part) {
  split(lsn, part, "/")
  return substr("00000000" part[1], length(part[1]) + 1) substr("00000000" part[2], length(part[2]) + 1)
}
# Numbers of transactions go round at 2^32: the later of two is less than half of that ahead.
function later(a, b) { return b != "" && (a == "" || (b - a + 4294967296) % 4294967296 < 2147483648) ? b : a }
function after_word(text, word) {
  if (!match(text, word "[^0-9]*[0-9]+")) return ""
  text = substr(text, RSTART, RLENGTH)
  match(text, /[0-9]+$/)
  return substr(text, RSTART) + 0
}
function relation(n, text) {
  if (!match(desc, "blkref #" n ": rel [0-9]+/[0-9]+/[0-9]+ blk [0-9]+")) return ""
  split(substr(desc, RSTART, RLENGTH), text, " ")
  block = text[6]
  return text[4]
}
function committed(side, xid, list, count, i) {
  print side, xid
  if (!match(desc, /subxacts:( [0-9]+)+/)) return
  count = split(substr(desc, RSTART + 10, RLENGTH - 10), list, " ")
  for (i = 1; i <= count; i++) {
    print side, list[i]
    if (side == "B") next_xid = later(next_xid, list[i] + 1)
  }
}
$1 != "rmgr:" { next }
{
  match($0, /tx: +[0-9]+/)
  xid = substr($0, RSTART + 3, RLENGTH - 3) + 0
  match($0, /lsn: [0-9A-F]+\/[0-9A-F]+/)
  since = "x" hex16(substr($0, RSTART + 5, RLENGTH - 5)) >= "x" fork
  side = since ? "a" : "b"
  if (!since && xid > 0) next_xid = later(next_xid, xid + 1)
  desc = substr($0, index($0, "desc: ") + 6)
}
$2 == "Transaction" && desc ~ /^COMMIT/ {
  if (desc ~ /^COMMIT_PREPARED/) xid = after_word(desc, "COMMIT_PREPARED")
  if (xid > 0) committed(since ? "C" : "B", xid)
  next
}
$2 == "Standby" && !since && desc ~ /^RUNNING_XACTS/ {
  running = after_word(desc, "nextXid")
  if (anchor == "") { anchor = running; print "A", anchor }
  next_xid = later(next_xid, running)
  next
}
$2 == "XLOG" && !since && desc ~ /^CHECKPOINT/ {
  if (match(desc, /; xid [0-9]+:[0-9]+/)) {
    running = substr(desc, RSTART, RLENGTH)
    sub(/.*:/, "", running)
    next_xid = later(next_xid, running + 0)
  }
  next
}
($2 == "Heap" && desc ~ /^(INSERT|DELETE|UPDATE|HOT_UPDATE)/) || ($2 == "Heap2" && desc ~ /^MULTI_INSERT/) {
  rel = relation(0)
  if (rel == "") next
  if (since) {
    if (!(rel in seen)) { seen[rel] = 1; print "t", side, xid, rel }
  } else print "t", side, xid, rel
  if (desc ~ /INSERT/) next
  # The old version of a row may be on another page than the new one.
  if (desc ~ /^UPDATE/ && relation(1) == "") relation(0)
  match(desc, /off:? [0-9]+/)
  item = substr(desc, RSTART, RLENGTH)
  sub(/.* /, "", item)
  print "g", side, xid, rel, "(" block "," item ")"
}
# What writes a table anew (VACUUM FULL, CLUSTER, some ALTER TABLE) gives it a new file, and tells of no row in it.
$2 == "Storage" && desc ~ /^CREATE [^ ]+\/[0-9]+\/[0-9]+$/ {
  count = split(desc, path, "/")
  print "m", side, xid, (path[1] == "CREATE base" ? 1663 : path[2]) "/" path[count - 1] "/" path[count]
  next
}
$2 == "Database" && desc ~ /^CREATE/ {
  match(desc, /[0-9]+\/[0-9]+$/)
  print "m", side, xid, substr(desc, RSTART) "/0"
}
END { if (next_xid != "") print "N", next_xid }
`;

/**
 * awk: reads three times what {@link SCAN} wrote, and keeps what was written after the fork, or before it by a
 * transaction that committed after it. Prints `next XID`, `first XID` (the oldest that committed after the fork; none
 * if nothing did), `anchored yes|no` (whether all that `first` and later ones wrote was seen), `touched REL`, `made
 * REL`; into `dir`/gone `REL (BLOCK,ITEM)`, into `dir`/before the numbers from `first` on that had committed before the
 * fork.
 */
export const SELECT = String.raw`
BEGIN { OFMT = "%.0f"; CONVFMT = "%.0f" }
function reaches(from, to) { return (to - from + 4294967296) % 4294967296 < 2147483648 }
FNR == 1 { pass++ }
pass == 1 && $1 == "N" { next_xid = $2 }
pass == 1 && $1 == "A" { anchor = $2 }
pass == 1 && $1 == "C" && (first == "" || reaches($2, first)) { first = $2 }
first == "" { next }
pass == 2 && $1 == "B" && reaches(first, $2) { before[$2] = 1; print $2 >(dir "/before") }
pass == 3 && $1 ~ /^[tgm]$/ && ($2 == "a" || (reaches(first, $3) && !($3 in before))) {
  if ($1 == "m") { print "made", $4; next }
  if (!($4 in touched)) { touched[$4] = 1; print "touched", $4 }
  if ($1 == "g") print $4, $5 >(dir "/gone")
}
END {
  if (next_xid != "") print "next", next_xid
  if (first != "") print "first", first
  print "anchored", (anchor != "" && first != "" && reaches(anchor, first)) ? "yes" : "no"
}
`;

/** A table's file, as the WAL names it: oids of tablespace and database, and the file's number. */
export interface TouchedFile {
  readonly tablespace: number;
  readonly database: number;
  /** 0 for all of a database. */
  readonly file: number;
  /** It was made after the fork: whatever has its number on the new primary is another one. */
  readonly made: boolean;
  /** Rows were written to it one by one, or went away. */
  readonly written: boolean;
}

/** What {@link SELECT} found. */
export interface WalChanges {
  /** The number of the first transaction that began after the fork; undefined if no WAL before it tells. */
  readonly next: number | undefined;
  /** The oldest transaction that committed after the fork; undefined when none did: nothing is lost. */
  readonly first: number | undefined;
  /** Whether the WAL goes back to where `first` began. */
  readonly anchored: boolean;
  /** Files that were written to, or made. */
  readonly touched: readonly TouchedFile[];
}

/** Reads what {@link SELECT} printed. */
export function parseWalChanges(output: string): WalChanges {
  const rows = output.split('\n').map((line) => line.split(' '));
  const valueOf = (name: string): string | undefined => rows.find(([key]) => key === name)?.[1];
  const numberOf = (name: string): number | undefined => {
    const value = valueOf(name);
    return value === undefined ? undefined : Number(value);
  };
  const pathsOf = (name: string): readonly string[] =>
    rows.filter(([key]) => key === name).map(([, path = '']) => path);
  const made = new Set(pathsOf('made'));
  const written = new Set(pathsOf('touched'));
  return {
    next: numberOf('next'),
    first: numberOf('first'),
    anchored: valueOf('anchored') === 'yes',
    touched: [...new Set([...written, ...made])].map((path) => {
      const [tablespace = 0, database = 0, file = 0] = path.split('/').map(Number);
      return { tablespace, database, file, made: made.has(path), written: written.has(path) };
    }),
  };
}
