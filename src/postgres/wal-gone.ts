import type { Cluster } from '../inventory/cluster.js';
import { NEXT } from '../resource/check.js';
import { raw, sh, type Script } from '../shell/index.js';
import { DISK_FULL } from './disk-full.js';
import { newestLogLine } from './newest-log-line.js';
import { stanzaOf } from './pgbackrest.js';

/** Seconds back from which a standby's word counts: it says it every second for as long as it is so. */
const RECENT = 60;

/** The same of a full disk: it says so every 5 s. */
const JUST_NOW = 15;

/** Seconds for the archive's answer. */
const ANSWER = 3;

/** What a standby writes into its log that asked its primary for WAL which is not there any more. */
const REMOVED = 'requested WAL segment ([0-9A-F]{24}) has already been removed';

/**
 * Shell: prints the segment of WAL that a standby lacks for good: its log of the last minute says that its primary has removed it,
 * and the archive, asked for just this one, does not have it, or there is none. Nothing where it is not known: the archive does not
 * answer, the log has another form. That it receives nothing is for the caller to know. Nothing is changed.
 * @param since words of the log from before do not count, in seconds since 1970, as words of shell
 */
export function walGone(cluster: Cluster, since = sh`0`): Script {
  return sh`
${newestLogLine(REMOVED)}
segment=$(printf '%s\n' "$line" | sed -nE ${`s/.*${REMOVED}.*/\\1/p`})
if [ -n "$segment" ]; then
  if [ $(($(date +%s) - line_at)) -gt ${RECENT} ] || [ "$line_at" -lt ${since} ]; then segment=
${cluster.postgres.backup === undefined ? raw('') : sh`  elif ! (${archiveLacks(stanzaOf(cluster))}); then segment=`}
  fi
fi
[ -z "$segment" ] || printf '%s\n' "$segment"`;
}

/** pgBackRest ends with 1 where there is no such segment, and with more where it cannot tell. */
function archiveLacks(stanza: string): Script {
  return sh`
    cd / && folder=$(setpriv --reuid=postgres --regid=postgres --init-groups mktemp -d) || exit 1
    code=0
    setpriv --reuid=postgres --regid=postgres --init-groups timeout -k 1 ${ANSWER} pgbackrest --stanza=${stanza} \
      --log-level-console=off --log-level-stderr=off --log-level-file=off --no-archive-async archive-get "$segment" "$folder/segment" || code=$?
    rm -rf "$folder"
    [ "$code" -eq 1 ]
  `;
}

/**
 * Shell: the same as a sentence after what a look at its receiver printed: what that says is passed on without a further look. A full
 * disk is told as well, only where both its log and the room say so: somebody may have made room since.
 * @param look shell that prints the receiver's state
 * @param host its name
 * @param data its data folder
 */
export function streamingOrGone(
  look: string,
  host: string,
  data: string,
  cluster: Cluster,
): string {
  return sh`${DISK_FULL}
said=$(${raw(look)})
if [ "$said" = '' ]; then
  gone=$(${walGone(cluster)}
  )
  disk_full ${data} $(($(date +%s) - ${JUST_NOW}))
  if [ -n "$gone" ]; then said="it cannot follow: it lacks WAL ($gone) that neither its primary nor the archive has"${NEXT}"odoo-prov rejoin FILE --host "${host}" copies everything anew"
  elif [ -n "$full" ] && [ $less = yes ]; then said="it cannot follow: the disk is full ("${data}"/pg_wal: $((free / 1024)) MB left)"${NEXT}"make room there, then odoo-prov apply FILE: it follows by itself as soon as there is room"
  fi
fi
printf '%s\n' "$said"`.render();
}
