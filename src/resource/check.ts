import { lines, raw, sh } from '../shell/index.js';
import type { Kind, Resource } from './kind.js';

/** Health as state: what a command says when all is well. */
export interface CheckResource extends Resource {
  readonly kind: 'check';
  readonly name: string;
  readonly command: string;
  readonly expect: string;
  readonly within: number;
  readonly again?: string;
  readonly hopeless?: string;
  readonly describes: string;
}

export interface CheckOptions {
  readonly name: string;
  /** Shell text that only looks, run as root, at most 5 s. Never holds a secret: it shows in process lists. */
  readonly command: string;
  /** The first line that it must print. Any other may end with {@link NEXT} and what to do: apply fails with that advice. */
  readonly expect: string;
  /** Seconds that apply waits for it. */
  readonly within: number;
  /**
   * Shell text that apply runs once, before it waits: what has others try again now who would later. What was found
   * before it is old then.
   */
  readonly again?: string;
  /** A shell pattern of lines for which there is no use in waiting: apply fails at once. */
  readonly hopeless?: string;
  /** What is healthy, for people: `PostgreSQL answers`. */
  readonly describes: string;
}

/** Stands between what a check found and what to do about it. */
export const NEXT = '; next: ';

/** A health check. It changes nothing; apply waits for it and fails with what it saw last. */
export function check(options: CheckOptions): CheckResource {
  return { kind: 'check', id: options.name, ...options };
}

/** Seconds that one look may take. */
const LOOK_LIMIT = 5;

/**
 * Shell function `look COMMAND`: sets `result` to the first line that it prints (at most 500 bytes), or
 * to how it ended when it printed nothing.
 */
const look = sh`
newline='
'
look() {
  result=$({ timeout -k 1 ${LOOK_LIMIT} sh -c "$1" </dev/null 2>&1 || echo "exit code $?"; } | head -c 500)
  result=${raw('${result%%"$newline"*}')}
  case $result in
    'exit code 124') result='no answer within ${LOOK_LIMIT} s' ;;
    '') result='nothing was printed' ;;
  esac
}`;

/** Health checks: they run side by side, so that many take no longer than the slowest. */
export const checkKind: Kind<CheckResource> = {
  name: 'check',
  summary: 'a health check: what a command prints when all is well',
  limit: 900,
  confirms: true,

  // Each answer is one short write, so that they cannot mix.
  probe(wanted) {
    const calls = wanted.map(
      ({ command }, i) => sh`{ look ${command}; printf '%s %s\n' ${i} "$result"; } &`,
    );
    return lines([look, ...calls, raw('wait')]);
  },

  parse(output, wanted) {
    const results = new Map(
      output.split('\n').map((line) => {
        const space = line.indexOf(' ');
        return [line.slice(0, space), line.slice(space + 1)];
      }),
    );
    return new Map(
      wanted.map((w, i) => {
        const result = results.get(String(i));
        return [w.id, result === undefined ? { unknown: 'the check did not answer' } : { result }];
      }),
    );
  },

  want: ({ expect }) => ({ result: expect }),

  apply({ resource: { command, expect, within, again, hopeless = '', describes } }) {
    return sh`
${look}
expected=${expect}
hopeless=${hopeless}
began=$(date +%s)
told=
old=
look ${command}
${
  again === undefined
    ? raw(':')
    : sh`if [ "$result" != "$expected" ]; then
  old=$result
  look ${again}
  look ${command}
fi`
}
while [ "$result" != "$expected" ]; do
  waited=$(($(date +%s) - began))
  # Whoever watches is to know what is waited for.
  if [ "$waited" -ge 3 ] && [ "$result" != "$told" ]; then
    told=$result
    printf 'waiting: %s; so far: %s\n' ${describes} "$result"
  fi
  case $result in
    "$old") given_up=no ;;
    $hopeless) given_up=yes ;;
    *) given_up=no ;;
  esac
  if [ "$waited" -ge ${within} ] || [ $given_up = yes ]; then
    if [ $given_up = yes ]; then within='not so, and waiting is of no use'; else within="not within $waited s"; fi
    separator=${NEXT}
    printf '%s: %s\nexpected: %s\nfound: %s\n' ${describes} "$within" "$expected" "${raw('${result%%"$separator"*}')}" >&2
    case $result in *"$separator"*) printf 'next: %s\n' "${raw('${result#*"$separator"}')}" >&2 ;; esac
    exit 1
  fi
  sleep 0.5
  look ${command}
done`;
  },
};
