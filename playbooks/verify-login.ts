import { Failure } from '../src/failure/failure.js';
import { hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { initialisingHost } from '../src/odoo/layout.js';
import { raw, sh, type Script, type Secret } from '../src/shell/index.js';
import type { SecretStore } from '../src/secrets/index.js';
import type { Answer, Session } from '../src/transport/session.js';
import type { VerifyCheck } from './verify.js';

/** Characters of the session id that are looked for: enough to be unique, too few to be the session. */
const PREFIX = 16;

/** The host on which a session can be looked up: Redis, or one that sees the files. */
export function sessionHost(cluster: Cluster): Host {
  const [redis] = cluster.odoo.sessions === 'redis' ? hostsWith(cluster, 'redis') : [];
  return redis ?? initialisingHost(cluster);
}

/**
 * A real login as `admin` through an edge, whose session must then be found where sessions are kept.
 * The password goes over stdin only, the session's id stays on the edge, and it is logged out again.
 */
export async function checkLogin(
  cluster: Cluster,
  sessions: ReadonlyMap<string, Session>,
  secrets: Pick<SecretStore, 'get'>,
  edge: Host,
): Promise<VerifyCheck> {
  const kept = cluster.odoo.sessions === 'redis' ? 'in Redis' : 'in the filestore';
  const result = (ok: boolean, detail: string): VerifyCheck => ({
    check: `session stored ${kept}`,
    host: edge.name,
    ok,
    detail,
  });
  const store = sessionHost(cluster);
  const [at, on] = [sessions.get(edge.name), sessions.get(store.name)];
  if (at === undefined || on === undefined) {
    return result(false, 'a host that it needs could not be reached');
  }
  try {
    const login = await at.run(loginScript(cluster, secrets.get('odoo-admin-password')));
    const [word, folder = '', prefix = ''] = login.stdout.trim().split(' ');
    if (login.code !== 0 || word !== 'session') {
      return result(false, `${saidLast(login)}; next: ${LOGIN_REMEDY}`);
    }
    const found = await look(cluster, secrets, on, prefix);
    const out = await at.run(logoutScript(cluster, folder));
    if (!found)
      return result(
        false,
        `admin was let in, but the session is not ${kept}; next: see the journal of odoo-app for ${store.name}`,
      );
    if (out.code !== 0)
      return result(false, `admin could not be logged out again: ${saidLast(out)}`);
    return result(true, `admin logged in, session found on ${store.name}, logged out`);
  } catch (error) {
    if (error instanceof Failure) return result(false, error.message);
    throw error;
  }
}

const LOGIN_REMEDY =
  'if the password of admin was changed in Odoo, tell odoo-prov: odoo-prov secrets FILE set odoo-admin-password';

/** Logs in as Odoo's own page does; prints `session FOLDER PREFIX`. The cookies stay in that folder. */
function loginScript(cluster: Cluster, password: Secret): Script {
  const { domain } = cluster.odoo;
  return sh`umask 077
folder=$(mktemp -d /run/odoo-prov-verify.XXXXXX)
fail() { echo "$*"; rm -rf "$folder"; exit 1; }
get() { curl -sk -m 30 --resolve ${raw(`${domain}:443:127.0.0.1`)} -b "$folder/jar" -c "$folder/jar" "$@"; }
get -o "$folder/page" https://${raw(domain)}/web/login || fail 'the login page did not answer'
token=$(sed -n 's/.*name="csrf_token" value="\([^"]*\)".*/\1/p' "$folder/page" | head -n 1)
[ -n "$token" ] || fail 'the login page has no form'
printf %s ${password} >"$folder/password"
code=$(get -o "$folder/page" -w '%{http_code}' --data-urlencode "csrf_token=$token" --data-urlencode login=admin \
  --data-urlencode "password@$folder/password" https://${raw(domain)}/web/login)
rm -f "$folder/password"
[ "$code" = 303 ] || fail "the login was answered with $code instead of a redirect"
id=$(awk '$6 == "session_id" { print $7 }' "$folder/jar")
[ -n "$id" ] || fail 'the login gave no session cookie'
printf 'session %s %.${PREFIX}s\n' "$folder" "$id"`;
}

/** Ends the session and forgets its cookies. */
function logoutScript(cluster: Cluster, folder: string): Script {
  const { domain } = cluster.odoo;
  return sh`code=$(curl -sk -m 30 -o /dev/null -w '%{http_code}' --resolve ${raw(`${domain}:443:127.0.0.1`)} \
  -b ${folder}/jar https://${raw(domain)}/web/session/logout) || true
rm -rf ${folder}
case $code in 30?) ;; *) echo "logging out was answered with $code"; exit 1 ;; esac`;
}

/** Whether a session whose id begins so is kept. */
async function look(
  cluster: Cluster,
  secrets: Pick<SecretStore, 'get'>,
  on: Session,
  prefix: string,
): Promise<boolean> {
  if (!/^[A-Za-z0-9_-]+$/.test(prefix)) return false;
  const script =
    cluster.odoo.sessions === 'redis'
      ? sh`REDISCLI_AUTH=${secrets.get('redis-password')} redis-cli --scan --pattern ${`*${prefix}*`}`
      : sh`find ${cluster.filestore.path}/sessions -name ${`${prefix}*`}`;
  const answer = await on.run(script);
  return answer.code === 0 && answer.stdout.includes(prefix);
}

function saidLast(answer: Answer): string {
  const rows = `${answer.stdout}\n${answer.stderr}`.trim().split('\n');
  return rows.at(-1) ?? `exit code ${String(answer.code)}`;
}
