import type { Cluster } from '../inventory/cluster.js';
import { NEXT } from '../resource/check.js';
import { raw, sh, type Script } from '../shell/index.js';
import { stanzaOf } from './pgbackrest.js';
import { LOG_FOLDER } from './settings.js';

/** Seconds back from which a standby's word counts: it says it every second for as long as it is so. */
const RECENT = 60;

/** Seconds for the archive's answer. */
const ANSWER = 3;

/** What a standby writes into its log that asked its primary for WAL which is not there any more. */
const REMOVED = 'requested WAL segment ([0-9A-F]{24}) has already been removed';

/**
 * Shell: prints the segment of WAL that a standby lacks for good: its log of the last minute says that its primary has removed it,
 * and the archive, asked for just this one, does not have it, or there is none. Nothing where it is not known: the archive does not
 * answer, the log has another form. That it receives nothing is for the caller to know. Nothing is changed.
 */
export function walGone(cluster: Cluster): Script {
  return sh`
log=$(ls -t ${LOG_FOLDER}/*.log 2>/dev/null | head -n 1)
line=$(tail -n 200 "$log" 2>/dev/null | grep -aE ${REMOVED} | tail -n 1)
segment=$(printf '%s\n' "$line" | sed -nE ${`s/.*${REMOVED}.*/\\1/p`})
if [ -n "$segment" ]; then
  # The log's line begins with its time and time zone.
  said=$(date -d "$(printf '%s\n' "$line" | cut -d ' ' -f 1-3)" +%s 2>/dev/null || echo 0)
  if [ $(($(date +%s) - said)) -gt ${RECENT} ]; then segment=
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
 * Shell: the same as a sentence after what a look at its receiver printed: what that says is passed on without a further look.
 * @param look shell that prints the receiver's state
 * @param host its name
 */
export function streamingOrGone(look: string, host: string, cluster: Cluster): string {
  return sh`said=$(${raw(look)})
if [ "$said" = '' ]; then
  gone=$(${walGone(cluster)}
  )
  [ -z "$gone" ] || said="it cannot follow: it lacks WAL ($gone) that neither its primary nor the archive has"${NEXT}"odoo-prov rejoin FILE --host "${host}" copies everything anew"
fi
printf '%s\n' "$said"`.render();
}
