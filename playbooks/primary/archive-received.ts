import { knock } from '../../src/postgres/archive.js';
import { stanzaOf } from '../../src/postgres/pgbackrest.js';
import { raw, sh, lines } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** Seconds for its answer: a frozen host takes the connection and says nothing. One that is slower is handed all. */
const ARCHIVE_SECONDS = 10;

/**
 * Hands to the archive what the old primary had sent to its standbys and not archived yet. PostgreSQL takes what a standby
 * received for archived ("Continuous Archiving in Standby": with `archive_mode = on` it does not archive WAL that it did not
 * generate itself), so the archive would have a hole that no restore from an earlier backup comes over.
 *
 * The old primary archived in the order of the WAL: the archive is asked from the newest segment backwards, until it has one.
 * Of an archive that does not answer nobody knows what it has; all are handed over, and it takes the same segment twice.
 * It is PostgreSQL's archiver that sends them: as long as that takes, and after the archive was away. They wait from now on:
 * the mark that a standby gave a segment is as old as the segment.
 */
export async function archiveReceived(mover: Mover, host: string): Promise<void> {
  const { cluster } = mover;
  const here = cluster.hosts.find(({ name }) => name === host);
  if (cluster.postgres.backup === undefined || here === undefined) return;
  const script = lines([
    raw(SQL_FUNCTION),
    sh`
wal="$data/pg_wal"
history=$(ls "$wal" | grep -E '^[0-9A-F]{8}\.history$' | tail -n 1)
if [ -z "$history" ]; then echo '0 yes'; exit; fi
left=$(printf %08X "$(awk 'NF { left = $1 } END { print left }' "$wal/$history")")
folder=$(as_postgres mktemp -d)
trap 'rm -rf "$folder"' EXIT
answers=yes
${raw(knock(cluster, here))}: || answers=no
marked=0
for done in $(ls "$wal/archive_status" | grep -E "^$left[0-9A-F]{16}\.done$" | sort -r); do
  segment=\${done%.done}
  [ -e "$wal/$segment" ] || continue
  if [ "$answers" = yes ]; then
    code=0
    as_postgres timeout -k 1 ${ARCHIVE_SECONDS} pgbackrest --stanza=${stanzaOf(cluster)} --no-archive-async --io-timeout=10 \
      --log-level-console=off --log-level-file=off archive-get "$segment" "$folder/segment" >/dev/null 2>&1 || code=$?
    case $code in
      0) break ;;
      1) ;;
      *) answers=no ;;
    esac
  fi
  touch "$wal/archive_status/$done"
  mv "$wal/archive_status/$done" "$wal/archive_status/$segment.ready"
  marked=$((marked + 1))
done
# By itself the archiver looks once a minute; a segment that ends wakes it.
if [ "$marked" -gt 0 ]; then echo 'select pg_switch_wal()' | sql >/dev/null; fi
# Whoever looks next finds the archive whole; but nobody waits long for that.
tries=0
while [ "$answers" = yes ] && [ "$marked" -gt 0 ] && ls "$wal/archive_status" | grep -q "^$left.*\.ready$"; do
  tries=$((tries + 1))
  [ "$tries" -lt 50 ] || answers=slowly
  sleep 0.2
done
echo "$marked $answers"`,
  ]);
  const said = await step(mover, host, 'archive what it received', script, 300);
  const [marked = '0', answers] = said.split(' ');
  if (answers === 'no') mover.onArchiveAway?.(host);
  if (marked === '0') return;
  const segments = `${marked} ${marked === '1' ? 'segment' : 'segments'}`;
  const texts: Readonly<Record<string, string>> = {
    yes: `archived ${segments} that the old primary had not archived`,
    slowly: `goes on to archive ${segments} that the old primary had not archived`,
    no: `the archive does not answer; it gets ${segments} that the old primary may not have archived when it does`,
  };
  mover.tell(host, texts[answers ?? ''] ?? `archives ${segments}`);
}
