import { sh, type Script } from '../shell/index.js';
import { LOCKED, noteOf, type Runner } from './runner.js';

/** Held on each host that a failover-test breaks, from its beginning to its end. Not apply's: the test applies, too. */
const LOCK = '/run/odoo-prov/failover-test.lock';
/** Who holds it: the runner's note, the test's id, the shell's process id; a line each. */
const HOLDER = '/run/odoo-prov/failover-test.holder';
const READ_HOLDER = sh`{ read -r tester && read -r test && read -r process; } 2>/dev/null <${HOLDER} || :`;

/** Seconds for what was just killed to let go: sshd has to notice first. */
const LET_GO = 3;

/**
 * Prints who holds the host for a failover-test, or nothing. Without asking for the lock: whoever asks for it in that
 * moment would be told of a test. Whoever has written the note holds it as long as the lock is open there.
 */
export const FAILOVER_TESTER: Script = sh`tester= test= process=
${READ_HOLDER}
if [ "$(readlink "/proc/$process/fd/8" 2>/dev/null)" = ${LOCK} ]; then printf 'tested %s, process %s\n' "$tester" "$process"; fi`;

/** Who holds a host for a failover-test. */
export interface FailoverTester {
  /** The same on all hosts of a test: `user@machine since …, odoo-prov …`. */
  readonly by: string;
  /** Of the shell on this host that holds it. */
  readonly process: string;
}

/** Reads what {@link FAILOVER_TESTER} printed; undefined where nobody holds the host. */
export function parseFailoverTester(text: string): FailoverTester | undefined {
  const [, by, process] = /^tested (.+), process (\d+)$/m.exec(text) ?? [];
  return by === undefined || process === undefined ? undefined : { by, process };
}

/**
 * Part of what an apply starts with, right after it has got its own lock: leaves with the frame `tested` where a
 * failover-test that this run is no part of has the host.
 */
export function unlessTested({ failoverTest }: Runner, nonce: string): Script {
  return sh`exec 8>>${LOCK}
if ! flock -n 8; then
  tester= test= process=
  ${READ_HOLDER}
  if [ "$test" != ${failoverTest ?? 'none'} ]; then
    printf '@%s tested %s, process %s\n' ${nonce} "$tester" "$process"
    exit ${LOCKED}
  fi
fi
exec 8>&-`;
}

/**
 * Takes a host for a failover-test; the shell that runs this holds it until it ends, which it does with its connection.
 * A holder with the test's own id hangs on a connection that the test has given up: it is ended. In the end no run that
 * has apply's lock is left: it asks for this one after it has got its own.
 * Answers with one frame: `ready`, `tested` or `locked`. One command for the shell, so a cut text runs nothing.
 */
export function compileFailoverTestLock(
  runner: Runner & { failoverTest: string },
  nonce: string,
): Script {
  return sh`{
umask 077
mkdir -p /run/odoo-prov
exec 8>>${LOCK}
if ! flock -w ${LET_GO} 8; then
  tester= test= process=
  ${READ_HOLDER}
  [ "$test" != ${runner.failoverTest} ] || kill "$process"
  flock -w ${LET_GO} 8 || { printf '@%s tested %s, process %s\n' ${nonce} "$tester" "$process"; exit ${LOCKED}; }
fi
printf '%s\n' ${noteOf(runner)} ${runner.failoverTest} "$$" >${HOLDER}
exec 9>>/run/odoo-prov/lock
if ! flock -w ${LET_GO} 9; then
  { read -r holder && read -r shell; } 2>/dev/null </run/odoo-prov/holder || :
  printf '@%s locked %s, process %s\n' ${nonce} "$holder" "$shell"
  exit ${LOCKED}
fi
exec 9>&-
printf '@%s ready\n' ${nonce}
}
`;
}
