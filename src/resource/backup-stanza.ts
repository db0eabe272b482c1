import { raw, sh, type Script } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';

export interface BackupStanza extends Resource {
  readonly kind: 'backupStanza';
  readonly stanza: string;
  /** The service that makes a full backup. */
  readonly firstBackup: string;
  /** Shell that fails, and says so, where there is no room; none with a bucket. */
  readonly room?: Script;
}

/** A database's place in this host's pgBackRest repository, with at least one full backup in it. */
export function backupStanza(options: {
  readonly stanza: string;
  readonly firstBackup: string;
  readonly room?: Script;
}): BackupStanza {
  return { kind: 'backupStanza', id: options.stanza, ...options };
}

/** Seconds that apply waits for the first full backup; a larger database's goes on without it. */
const FIRST_BACKUP = 300;

/** Seconds to wait for pgBackRest's own lock. */
const LOCKED = 120;

const AS_POSTGRES = 'setpriv --reuid=postgres --regid=postgres --init-groups';

/**
 * Shell: `conf`, the configuration without the database hosts that take no connection. pgBackRest tries each of them for minutes
 * (a minute at a time), and then fails, though the others are all that a check is about: a host that is off after a failover.
 */
const WITHOUT_SILENT = `conf=/etc/pgbackrest/pgbackrest.conf
silent=
for number in $(sed -n 's/^pg\\([0-9]*\\)-host=.*/\\1/p' "$conf"); do
  host=$(sed -n "s/^pg$number-host=//p" "$conf")
  port=$(sed -n "s/^pg$number-host-port=//p" "$conf")
  if ! timeout 3 bash -c ': </dev/tcp/"$0"/"$1"' "$host" "\${port:-8432}" 2>/dev/null; then
    silent="$silent $number"
    echo "$host takes no connection on port \${port:-8432}: it is left out of this"
  fi
done
if [ -n "$silent" ]; then
  part=$(mktemp /run/odoo-prov-pgbackrest.XXXXXX)
  trap 'rm -f "$part"' EXIT
  # The others are numbered anew: pgBackRest wants one that is called 1.
  awk -v silent="$silent" '
    BEGIN { split(silent, numbers, " "); for (i in numbers) left[numbers[i]] = 1 }
    match($0, /^pg[0-9]+-/) {
      number = substr($0, 3, RLENGTH - 3)
      if (number in left) next
      if (!(number in now)) now[number] = ++count
      $0 = "pg" now[number] substr($0, RLENGTH)
    }
    { print }' "$conf" >"$part"
  chown postgres "$part"
  if grep -q '^pg1-' "$part"; then conf=$part; fi
fi`;

/** One element of `pgbackrest info --output=json`, as far as it is read here. */
interface Info {
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly backup?: readonly { readonly type?: string }[];
}

/** `missing stanza path`, `missing stanza data` (pgBackRest, command info). */
const MISSING = [1, 3];

function observed(text: string, active: string): Observed {
  if (text.trim() === '') return 'absent';
  let info: Info | undefined;
  try {
    [info] = JSON.parse(text) as readonly Info[];
  } catch {
    return { unknown: text.trim().split('\n')[0] ?? '' };
  }
  const { code = 99, message = '' } = info?.status ?? {};
  if (MISSING.includes(code)) return 'absent';
  const made = (info?.backup ?? []).some(({ type }) => type === 'full');
  const running = active === 'active' || active === 'activating';
  return {
    stanza: [0, 2].includes(code) ? 'ok' : message,
    'full backup': made || running ? 'made or under way' : 'none',
  };
}

/**
 * The look reads the repository only. Apply asks the whole chain (`check`: a segment is switched, pushed and
 * found), and does so again after any change before it in its stage.
 */
export const backupStanzaKind: Kind<BackupStanza> = {
  name: 'backupStanza',
  summary: "a database's place in a pgBackRest repository: made, checked, with a full backup",
  limit: FIRST_BACKUP + 600,
  confirms: true,

  probe(wanted) {
    const [one] = wanted;
    if (one === undefined || wanted.length > 1) throw new Error('a repository has one stanza here');
    return sh`
systemctl is-active ${one.firstBackup} || :
if [ -e /etc/pgbackrest/pgbackrest.conf ] && command -v pgbackrest >/dev/null; then
  (cd / && timeout 20 ${AS_POSTGRES.split(' ')} \
    pgbackrest --stanza=${one.stanza} --output=json --log-level-console=off --log-level-stderr=error info 2>&1) ||
    [ $? -ne 124 ] || echo 'the repository did not answer within 20 s'
fi`;
  },

  parse(output, wanted) {
    const [active = '', ...rest] = output.split('\n');
    return new Map(wanted.map(({ id }) => [id, observed(rest.join('\n'), active)]));
  },

  want: () => ({ stanza: 'ok', 'full backup': 'made or under way' }),

  apply: ({ resource: { stanza, firstBackup, room } }) => sh`
${room ?? raw(':')}
${raw(WITHOUT_SILENT)}
pgbackrest_() { (cd / && ${AS_POSTGRES.split(' ')} pgbackrest --config="$conf" --stanza=${stanza} --log-level-console=warn "$@"); }
# On a database host the archiver holds the same lock (50) for as long as it tries to reach the repository.
waited=0
while :; do
  code=0
  said=$(pgbackrest_ stanza-create 2>&1) || code=$?
  [ "$code" -eq 50 ] && [ "$waited" -lt ${LOCKED} ] || break
  sleep 2
  waited=$((waited + 2))
done
if [ "$code" -ne 0 ]; then
  printf '%s\n' "$said" >&2
  exit "$code"
fi
pgbackrest_ check
full() { pgbackrest_ info --output=json | grep -q '"type":"full"'; }
if ! full; then
  systemctl reset-failed ${firstBackup} 2>/dev/null || :
  systemctl start --no-block ${firstBackup}
  waited=0
  while ! full; do
    case $(systemctl show -P ActiveState ${firstBackup}) in
      failed)
        echo 'the first full backup failed' >&2
        journalctl -q -n 15 -o cat -u ${firstBackup} >&2
        exit 1 ;;
    esac
    if [ "$waited" -ge ${FIRST_BACKUP} ]; then
      echo ${`the first full backup goes on by itself: journalctl -fu ${firstBackup}`}
      break
    fi
    sleep 1
    waited=$((waited + 1))
  done
fi`,
};
