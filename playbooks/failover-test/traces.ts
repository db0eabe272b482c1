import type { Asked, UserTraces } from '../../src/failover-test/users.js';
import { hostsWith, type Cluster, type Host } from '../../src/inventory/cluster.js';
import {
  addressOf,
  attachments,
  filestoreHosts,
  GEVENT_PORT,
  HTTP_PORT,
} from '../../src/odoo/layout.js';
import { raw, sh } from '../../src/shell/index.js';
import type { Hosts } from './hosts.js';
import type { Load } from './load.js';
import { storedJobs, storedNames } from './table.js';

/**
 * What the users left: in the database, the filestore, and the edges' logs.
 * @param primary where the database is read
 * @param load the users' name in the edges' logs, and how all begins that they made; of this scenario
 */
export async function lookForTraces(
  hosts: Hosts,
  cluster: Cluster,
  primary: string,
  { agent, mark }: Pick<Load, 'agent' | 'mark'>,
): Promise<UserTraces> {
  const { database } = cluster.odoo;
  const names = (await storedFiles(hosts, primary, database, mark)).filter((name) =>
    /^[0-9a-f]{2}\/[0-9a-f]+$/.test(name),
  );
  const [jobs, records, filesMissing, asked] = await Promise.all([
    storedJobs(hosts, primary, database),
    storedNames(hosts, primary, database, 'res_partner_category', mark),
    Promise.all(
      filestoreHosts(cluster).map(async ({ name }) => ({
        host: name,
        missing: await missingFiles(hosts, name, cluster, names),
      })),
    ),
    Promise.all(hostsWith(cluster, 'edge').map((edge) => askedBy(hosts, cluster, edge, agent))),
  ]);
  return { jobs, records, filesMissing, files: names.length, asked: asked.flat() };
}

/** Where Odoo keeps the users' files, in its filestore. */
async function storedFiles(
  hosts: Hosts,
  primary: string,
  database: string,
  mark: string,
): Promise<readonly string[]> {
  const query = `select distinct store_fname from ir_attachment where name like '${mark} %' and store_fname is not null;`;
  return (await hosts.sql(primary, database, query)).split('\n');
}

async function missingFiles(
  hosts: Hosts,
  host: string,
  cluster: Cluster,
  names: readonly string[],
): Promise<number> {
  if (names.length === 0) return 0;
  const script = sh`missing=0
for file in ${names}; do [ -f ${attachments(cluster)}/"$file" ] || missing=$((missing + 1)); done
echo "$missing"`;
  return Number(await hosts.run(host, script));
}

/** Who an edge asked for the users of a scenario: only its own log knows. */
async function askedBy(
  hosts: Hosts,
  cluster: Cluster,
  edge: Host,
  agent: string,
): Promise<readonly Asked[]> {
  const log = '/var/log/nginx/access.log';
  const script = raw(
    `cat ${log}.1 ${log} 2>/dev/null | grep -F '"${agent}"' | sed -n 's/^[^"]*"[A-Z]* \\([^ "?]*\\).* upstream=\\(.*\\) upstream_status=.*$/\\1 \\2/p' | sed 's/^\\/websocket /websocket /; t; s/^[^ ]* /page /' | sort -u`,
  );
  const pool = {
    page: hostsWith(cluster, 'app').map((to) => `${addressOf(to, edge)}:${HTTP_PORT}`),
    websocket: hostsWith(cluster, 'gevent').map((to) => `${addressOf(to, edge)}:${GEVENT_PORT}`),
  };
  const answer = await hosts.run(edge.name, script);
  const rows = answer.split('\n').flatMap((line): Pick<Asked, 'what' | 'upstream'>[] => {
    const [what = '', ...upstreams] = line.split(/[ ,]+/);
    if (what !== 'page' && what !== 'websocket') return [];
    // Not the pool's name, which stands there while none of its hosts is left.
    return upstreams.filter((to) => /:\d+$/.test(to)).map((upstream) => ({ what, upstream }));
  });
  const unique = new Map(rows.map((row) => [`${row.what} ${row.upstream}`, row] as const));
  return [...unique.values()].map(({ what, upstream }) => {
    const host = cluster.hosts.find(({ address }) => upstream.startsWith(`${address}:`))?.name;
    return {
      ...{ edge: edge.name, what, upstream, expected: pool[what].includes(upstream) },
      ...(host === undefined ? {} : { host }),
    };
  });
}
