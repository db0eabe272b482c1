import { Failure } from '../src/failure/failure.js';
import { hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { initialisingHost } from '../src/odoo/layout.js';
import { raw, sh, type Script, type Secret } from '../src/shell/index.js';
import type { SecretStore } from '../src/secrets/index.js';
import type { Answer, Session } from '../src/transport/session.js';
import type { VerifyCheck } from './verify-check.js';

/** Characters of the session id that are looked for: enough to be unique, too few to be the session. */
const PREFIX = 16;

/** The host on which a session can be looked up: Redis, or one that sees the files. */
export function sessionHost(cluster: Cluster): Host {
  const [redis] = cluster.odoo.sessions === 'redis' ? hostsWith(cluster, 'redis') : [];
  return redis ?? initialisingHost(cluster);
}

/** Seconds for the login, the look and the logout together; each request to the edge may take 30. */
const LIMIT = 150;

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
    const script = loginScript(cluster, secrets.get('odoo-admin-password'));
    const { found, answer } = await whileLoggedIn(at, script, (prefix) =>
      look(cluster, secrets, on, prefix),
    );
    if (found === undefined) return result(false, `${saidLast(answer)}; next: ${LOGIN_REMEDY}`);
    if (!found)
      return result(
        false,
        `admin was let in, but the session is not ${kept}; next: see the journal of odoo-app for ${store.name}`,
      );
    if (answer.code !== 0)
      return result(false, `admin could not be logged out again: ${saidLast(answer)}`);
    return result(true, `admin logged in, session found on ${store.name}, logged out`);
  } catch (error) {
    if (error instanceof Failure) return result(false, error.message);
    throw error;
  }
}

const LOGIN_REMEDY =
  'if the password of admin was changed in Odoo, tell odoo-prov: odoo-prov secrets FILE set odoo-admin-password';

/**
 * Runs `loginScript`, whose shell lives until its stdin ends, and does `work` while it is logged in.
 * @param work gets the first characters of the session's id
 * @returns what the work gave, undefined where the login failed; and how the shell ended
 */
async function whileLoggedIn(
  at: Session,
  script: Script,
  work: (prefix: string) => Promise<boolean>,
): Promise<{ readonly found: boolean | undefined; readonly answer: Answer }> {
  let tell: (prefix: string) => void = () => undefined;
  const loggedIn = new Promise<string>((resolve) => (tell = resolve));
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const shell = at.run(script, {
    limit: LIMIT,
    onLine: (line) => {
      const [word, prefix = ''] = line.split(' ');
      if (word === 'session') tell(prefix);
    },
    feed: nothingUntil(ended),
  });
  try {
    const prefix = await Promise.race([loggedIn, shell.then(() => undefined)]);
    const found = prefix === undefined ? undefined : await work(prefix);
    end();
    return { found, answer: await shell };
  } finally {
    end();
    await shell.catch(() => undefined);
  }
}

/** Keeps a shell's stdin open, and sends nothing. */
function nothingUntil(ended: Promise<void>): AsyncIterable<Script> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => ended.then(() => ({ done: true, value: undefined })),
    }),
  };
}

/**
 * Logs in as Odoo's own page does, prints `session PREFIX`, and when its stdin ends, by us or because we are
 * gone, logs out and forgets the cookies. What an earlier one left that was ended by force is removed first.
 */
function loginScript(cluster: Cluster, password: Secret): Script {
  const { domain } = cluster.odoo;
  return sh`odoo_prov_get() {
  curl -sk -m 30 --resolve ${raw(`${domain}:443:127.0.0.1`)} -b "$folder/jar" -c "$folder/jar" "$@" </dev/null
}
odoo_prov_end() {
  code=$?
  said=
  if [ -n "$id" ]; then
    out=$(odoo_prov_get -o /dev/null -w '%{http_code}' https://${raw(domain)}/web/session/logout) || :
    case $out in 30?) ;; *) said="logging out was answered with $out" code=1 ;; esac
  fi
  rm -rf "$folder"
  [ -z "$said" ] || echo "$said"
  exit "$code"
}
odoo_prov_login() {
  umask 077
  id=
  find /run/odoo-prov-verify.* -maxdepth 0 -mmin +10 -exec rm -rf {} + 2>/dev/null
  folder=$(mktemp -d /run/odoo-prov-verify.XXXXXX) || exit
  trap odoo_prov_end EXIT
  trap 'exit 1' HUP INT PIPE TERM
  fail() { echo "$*"; exit 1; }
  odoo_prov_get -o "$folder/page" https://${raw(domain)}/web/login || fail 'the login page did not answer'
  token=$(sed -n 's/.*name="csrf_token" value="\([^"]*\)".*/\1/p' "$folder/page" | head -n 1)
  [ -n "$token" ] || fail 'the login page has no form'
  printf %s ${password} >"$folder/password"
  code=$(odoo_prov_get -o "$folder/page" -w '%{http_code}' --data-urlencode "csrf_token=$token" \
    --data-urlencode login=admin --data-urlencode "password@$folder/password" https://${raw(domain)}/web/login)
  rm -f "$folder/password"
  [ "$code" = 303 ] || fail "the login was answered with $code instead of a redirect"
  id=$(awk '$6 == "session_id" { print $7 }' "$folder/jar")
  [ -n "$id" ] || fail 'the login gave no session cookie'
  printf 'session %.${PREFIX}s\n' "$id"
  # Waits here: dash that reads its next command at a signal ends without the trap of EXIT.
  while read -r rest; do :; done
}
odoo_prov_login`;
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
