import type { Backup, Cluster } from '../inventory/cluster.js';
import { base64, raw, sh, type Script, type Secret } from '../shell/index.js';
import { segmentRuns } from './archive-holes.js';
import { repositoryOf, stanzaOf } from './pgbackrest.js';
import { historyFile } from './recovery-history.js';

/*
 * Files beside archive and backups, as seen from the host on which pgBackRest is run for the repository. In a folder
 * they are what they are. In a bucket they go through pgBackRest (repo-ls, repo-get, repo-put), which so is the only
 * client of it; raw, since its encryption would hide the copy of the secrets, in which its own passphrase is.
 */

/** Runs a command as PostgreSQL's system user, in a folder that it may enter. */
export const AS_POSTGRES = sh`
as_postgres() { (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }`;

const BACKREST = sh`
${AS_POSTGRES}
backrest() { as_postgres pgbackrest --log-level-console=off --log-level-stderr=error --log-level-file=off "$@"; }`;

/** The copy of the secrets, by its name in the repository. */
export const RECOVERY_COPY = 'odoo-prov-recovery.age';
/** The history, by its name in a bucket. */
const HISTORY = 'odoo-prov-history';

/** Between the parts of what {@link repositoryQuestion} prints. */
export const PART = '@odoo-prov@';

/**
 * Prints what can be restored: pgBackRest's own, the history, the archived segments, then the `.history` files of the newest
 * archive.
 * @param since `all` segments and timelines, or only the segments from the `newest backup` on and the newest timeline
 */
export function repositoryQuestion(cluster: Cluster, since: 'all' | 'newest backup'): Script {
  const { backup } = repositoryOf(cluster);
  const archive = `archive/${stanzaOf(cluster)}`;
  const all = since === 'all';
  return sh`
${BACKREST}
info=$(backrest --stanza=${stanzaOf(cluster)} --output=json info) || exit 1
printf '%s\n%s\n' "$info" ${PART}
${backup.s3 === undefined ? folderReader(backup.path) : bucketReader}
history
id=$(list ${archive} | grep -E '^[0-9]+-[0-9]+$' | sort -t - -k 2 -n | tail -n 1)
printf '%s\n' ${PART}
if [ -n "$id" ]; then
  files=$(${raw(all ? 'files' : 'files_since_newest')} ${archive}/"$id") || exit 1
  printf '%s\n' "$files" | ${raw(segmentRuns)}
  for file in $(list ${archive}/"$id" | grep -E '^[0-9A-F]{8}\.history$' | ${raw(all ? 'cat' : 'tail -n 1')}); do
    printf '%s\n%s\n' ${PART} "$file"
    backrest repo-get ${archive}/"$id/$file" || exit 1
  done
fi`;
}

/**
 * Prints something if the repository has a WAL segment. In a folder its file is looked for (pgBackRest adds its checksum
 * to the name), whatever pgBackRest says of it; out of a bucket it is fetched. To be run where {@link repositoryOf} says.
 */
export function findSegment(cluster: Cluster, segment: string): Script {
  const { backup } = repositoryOf(cluster);
  const stanza = stanzaOf(cluster);
  if (backup.s3 === undefined) {
    return sh`find ${`${backup.path}/archive/${stanza}`} -type f -name ${`${segment}-*`}`;
  }
  // It ends with 1 where there is no such segment.
  return sh`
${BACKREST}
folder=$(as_postgres mktemp -d) || exit 1
code=0
backrest --stanza=${stanza} --no-archive-async archive-get ${segment} "$folder/segment" || code=$?
[ "$code" -ne 0 ] || echo ${segment}
rm -rf "$folder"
[ "$code" -le 1 ]`;
}

/*
 * Shell functions: `list` prints the names in a folder, `files` the files below it, each with the time of its archiving
 * (seconds since 1970), `files_since_newest` only those from the segment on in which the newest backup of $info ended:
 * the folders of an archive are called by timeline and log. The letter before them has awk compare texts: to it the folder
 * of timeline 14, 0000000E00000000, is a number otherwise.
 */
export const filesSince = raw(`files_since_newest() {
  from=$(printf '%s' "$info" | grep -oE '"stop":"[0-9A-F]{24}"' | tail -n 1 | cut -c 9-24)
  for folder in $(list "$1" | grep -E '^[0-9A-F]{16}$' | awk -v from="$from" '"x" $0 >= "x" from'); do
    files "$1/$folder" || return 1
  done
}`);

function folderReader(path: string): Script {
  return sh`
list() { ls ${path}/"$1"; }
files() { find ${path}/"$1" -type f -printf '%T@ %p\n'; }
${filesSince}
history() { cat ${historyFile(path)} 2>/dev/null || :; }`;
}

const bucketReader = sh`
list() { backrest repo-ls "$1"; }
files() {
  answer=$(backrest repo-ls --recurse --output=json "$1") || return 1
  printf '%s' "$answer" | tr '}' '\n' | sed -nE 's/.*"([^"]+)":\{.*"time":([0-9]+).*/\2 \1/p'
}
${filesSince}
history() { backrest repo-get --raw --ignore-missing ${HISTORY} || [ $? -eq 1 ] || exit 1; }`;

/** Adds a line to the history. Nothing in a bucket can be appended to: what is there is read first. */
export function addToHistory({ path, s3 }: Backup, line: string): Script {
  if (s3 === undefined) {
    return sh`
${AS_POSTGRES}
printf '%s\n' ${line} | as_postgres tee -a ${historyFile(path)} >/dev/null
sync ${historyFile(path)}`;
  }
  return sh`(
${BACKREST}
${bucketReader}
known=$(history) || exit 1
# All of it first: what ends early would be put in the place of the whole.
if [ -n "$known" ]; then known=$(printf '%s\n%s' "$known" ${line}); else known=${line}; fi
printf '%s\n' "$known" | backrest repo-put --raw ${HISTORY}
)`;
}

/** Puts the copy of the secrets into the repository, over what is there. As a secret: it goes over stdin. */
export function putRecoveryCopy({ path, s3 }: Backup, text: Secret): Script {
  const file = `${path}/${RECOVERY_COPY}`;
  if (s3 === undefined) {
    return sh`(
umask 077
printf %s ${base64(text)} | base64 -d >${`${file}.new`}
chown postgres:postgres ${`${file}.new`}
sync ${`${file}.new`}
mv -f ${`${file}.new`} ${file}
)`;
  }
  return sh`(
${BACKREST}
copy=$(printf %s ${base64(text)} | base64 -d) || exit 1
printf '%s\n' "$copy" | backrest repo-put --raw ${RECOVERY_COPY}
)`;
}
