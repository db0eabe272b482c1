import { kindOf, type Kinds } from '../plan/diff.js';
import { keyOf, type Change, type Key } from '../resource/kind.js';
import type { Stage } from '../role/role.js';
import { lines, raw, sh, type Script } from '../shell/index.js';
import { unlessTested } from './failover-test-lock.js';
import { LOCKED, noteOf, type Runner } from './runner.js';

/** Seconds that one resource may take when its kind does not say. */
const APPLY_LIMIT = 120;

/**
 * Seconds to wait for the end of what a killed run left running: the longest step of a kind, with room.
 * It ends by itself after the step that is running.
 */
const REMAINDER_LIMIT = 4000;

/** One step of a stage: usually one change; several where their kind makes them together. */
export interface Step {
  readonly keys: readonly Key[];
  readonly limit: number;
  readonly script: Script;
}

/** Cuts a stage into steps: neighbours of a kind that can be made together become one. */
export function stepsOf(changes: readonly Change[], kinds: Kinds): readonly Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < changes.length;) {
    const change = changes[at];
    if (change === undefined) break;
    const kind = kindOf(kinds, change.resource);
    let end = at + 1;
    if (kind.applyTogether !== undefined) {
      while (changes[end]?.resource.kind === kind.name) end += 1;
    }
    const group = changes.slice(at, end);
    steps.push({
      keys: group.map((c) => keyOf(c.resource)),
      limit: kind.limit ?? APPLY_LIMIT,
      script: kind.applyTogether?.(group) ?? kind.apply(change),
    });
    at = end;
  }
  return steps;
}

/**
 * What an apply starts with: takes the host's lock (held by this shell until it ends), leaves the host to a
 * failover-test of somebody else, writes who has the lock, and defines `step`. A lock whose shell no longer hangs on an SSH connection is the remainder of a run
 * that was killed or cut off: it ends with its running step, so that is waited for. Another live run is not. A lost connection cannot stop a running step: its output goes to a file as well,
 * and nothing dies of SIGPIPE. Between steps, a stop file or a closed connection ends the script.
 * Steps do not inherit the lock's descriptor, or a daemon that one leaves behind would hold it for ever.
 * The whole is one command for the shell, so a cut text runs nothing.
 */
export function compilePreamble(runner: Runner, nonce: string): Script {
  const note = noteOf(runner);
  return sh`{
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 077
mkdir -p /run/odoo-prov /var/lib/odoo-prov /var/log/odoo-prov
exec 9>>/run/odoo-prov/lock
connected() {
  pid=$1
  while [ "${raw('${pid:-1}')}" -gt 1 ] && read -r name 2>/dev/null <"/proc/$pid/comm"; do
    case $name in sshd*) return 0 ;; esac
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
  done
  return 1
}
waited=0
until flock -w 1 9; do
  holder=
  shell=
  { read -r holder && read -r shell; } 2>/dev/null </run/odoo-prov/holder || :
  if connected "$shell" || [ "$waited" -ge ${REMAINDER_LIMIT} ]; then
    printf '@%s locked %s, process %s\n' ${nonce} "$holder" "$shell"
    exit ${LOCKED}
  fi
  [ ! -e ${`/run/odoo-prov/stop.${nonce}`} ] || { printf '@%s stopped\n' ${nonce}; exit 0; }
  [ "$waited" != 0 ] || printf '@%s waiting %s\n' ${nonce} "$holder" || exit 1
  waited=$((waited + 1))
done
${unlessTested(runner, nonce)}
printf '%s\n' ${note} "$$" >/run/odoo-prov/holder
rm -f /run/odoo-prov/stop.*
trap '' PIPE HUP
log=/var/log/odoo-prov/last-apply.log
: >"$log"
audit() {
  printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${note} "$*" >>/var/log/odoo-prov/audit.log
}
step() {
  [ ! -e ${`/run/odoo-prov/stop.${nonce}`} ] || { printf '@%s stopped\n' ${nonce}; exit 0; }
  printf '@%s begin %s\n' ${nonce} "$1" || exit 1
  { timeout -k 10 "$2" env --default-signal=PIPE sh -eus 9>&-; echo "$?" >/run/odoo-prov/code; } 2>&1 | tee -p -a "$log" |
    { while IFS= read -r line; do printf '@%s out %s\n' ${nonce} "$line" || break; done; cat >/dev/null; }
  code=$(cat /run/odoo-prov/code)
  audit "$3 exit $code"
  printf '@%s end %s %s\n' ${nonce} "$1" "$code" || exit 1
  [ "$code" = 0 ]
}
printf '@%s ready\n' ${nonce}
}
`;
}

/** One stage's steps as one command; it stops at the first step that fails, and says when it is through. */
export function compileStage(stage: Stage, steps: readonly Step[], nonce: string): Script {
  const calls = steps.map((step, i) => {
    const mark = raw(`@${String(i)}@${nonce}`);
    return sh`step ${i} ${step.limit} ${`${stage} ${step.keys.join(' ')}`} <<'${mark}' || return 1
apply() {
${step.script}
}
apply </dev/null
${mark}`;
  });
  return sh`stage() {
${lines(calls)}
}
stage && code=0 || code=1
printf '@%s done %s\n' ${nonce} "$code"
`;
}

/** One line of an apply's answer. */
export type Frame =
  | { readonly type: 'ready' }
  | { readonly type: 'locked'; readonly holder: string }
  /** A failover-test of somebody else has the host. */
  | { readonly type: 'tested'; readonly holder: string }
  /** What a killed run left is still running; its end is waited for. */
  | { readonly type: 'waiting'; readonly holder: string }
  | { readonly type: 'stopped' }
  | { readonly type: 'begin'; readonly step: number }
  | { readonly type: 'out'; readonly line: string }
  | { readonly type: 'end'; readonly step: number; readonly code: number }
  | { readonly type: 'done'; readonly ok: boolean };

/** For an exit code that could not be noted. No program ends with it. */
export const NOT_NOTED = 256;

/** Reads one line; undefined for a line that is not ours. */
export function parseFrame(line: string, nonce: string): Frame | undefined {
  const head = `@${nonce} `;
  if (!line.startsWith(head)) return undefined;
  const [word = '', ...rest] = line.slice(head.length).split(' ');
  const text = rest.join(' ');
  switch (word) {
    case 'ready':
    case 'stopped':
      return { type: word };
    case 'locked':
    case 'tested':
    case 'waiting':
      return { type: word, holder: text };
    case 'begin':
      return { type: 'begin', step: Number(text) };
    case 'out':
      return { type: 'out', line: text };
    case 'end':
      // Nothing where the host had no room to note it: that is no success.
      return { type: 'end', step: Number(rest[0]), code: rest[1] ? Number(rest[1]) : NOT_NOTED };
    case 'done':
      return { type: 'done', ok: text === '0' };
    default:
      return undefined;
  }
}
