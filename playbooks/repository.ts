import { Failure } from '../src/failure/failure.js';
import type { Backup, Cluster, Host } from '../src/inventory/cluster.js';
import { repositoryOf, stanzaOf } from '../src/postgres/pgbackrest.js';
import { historyFile, parseHistory } from '../src/postgres/recovery-history.js';
import type { Recoverable } from '../src/postgres/recovery-plan.js';
import { parseInfo } from '../src/postgres/repository-info.js';
import { sh, type Script } from '../src/shell/index.js';
import type { Procedure } from './procedure.js';

/** Runs a command as PostgreSQL's system user, in a folder that it may enter. */
export const AS_POSTGRES = sh`
as_postgres() { (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }`;

/** The repository of a cluster. @throws Failure usage where its inventory has none */
export function needRepository(cluster: Cluster): { readonly backup: Backup; readonly host: Host } {
  if (cluster.postgres.backup !== undefined) return repositoryOf(cluster);
  throw new Failure({
    reason: 'usage',
    message: 'this cluster has no backups',
    expected: 'postgres: { backup: { host: … } } in its inventory',
    remedy: 'docs/backup.md says how to set them up',
  });
}

/** Everything that can be restored, in one question to the repository host. @throws Failure */
export async function readRepository(procedure: Procedure, cluster: Cluster): Promise<Recoverable> {
  const { backup, host } = needRepository(cluster);
  const mark = '@odoo-prov@';
  const answer = await procedure.ask(host, question(backup.path, stanzaOf(cluster), mark));
  const [info = '', history = '', ...timelines] = answer.split(`${mark}\n`);
  try {
    return {
      info: parseInfo(info),
      history: parseHistory(history),
      timelines: new Map(
        timelines.map((text) => {
          const end = text.indexOf('\n');
          return [Number.parseInt(text.slice(0, 8), 16), text.slice(end + 1)];
        }),
      ),
    };
  } catch (cause) {
    throw new Failure({
      reason: 'command-failed',
      host: host.name,
      message: `the repository in ${backup.path} cannot be used`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'odoo-prov apply makes it; /var/log/pgbackrest/ on this host says more',
      cause,
    });
  }
}

function question(path: string, stanza: string, mark: string): Script {
  return sh`
${AS_POSTGRES}
backrest() { as_postgres pgbackrest --log-level-console=off --log-level-stderr=error --log-level-file=off "$@"; }
backrest --stanza=${stanza} --output=json info || exit 1
printf '\n%s\n' ${mark}
cat ${historyFile(path)} 2>/dev/null || :
for id in $(ls ${`${path}/archive/${stanza}`} | grep -E '^[0-9]+-[0-9]+$' | sort -t - -k 2 -n | tail -n 1); do
  for file in $(ls ${`${path}/archive/${stanza}`}/"$id" | grep -E '^[0-9A-F]{8}\.history$'); do
    printf '%s\n%s\n' ${mark} "$file"
    backrest repo-get ${`archive/${stanza}`}/"$id/$file" || exit 1
  done
done`;
}
