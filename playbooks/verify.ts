import { hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { CRON_WORKERS_COMMAND } from '../src/odoo/cron-workers.js';
import { addressOf, GEVENT_PORT, HTTP_PORT } from '../src/odoo/layout.js';
import { Failure } from '../src/failure/failure.js';
import type { Emit } from '../src/run/event.js';
import { lines, raw, sh, type Script } from '../src/shell/index.js';
import type { SecretStore } from '../src/secrets/index.js';
import type { Session } from '../src/transport/session.js';
import type { VerifyCheck } from './verify-check.js';
import { checkLogin, sessionHost } from './verify-login.js';

/** One question to a host: shell text without secrets whose first line must be what is expected. */
interface Question {
  readonly check: string;
  readonly command: string;
  readonly expect: string;
  readonly remedy: string;
}

/**
 * Whether the cluster serves: the login page over HTTPS through each edge, every app and gevent host as
 * seen from each edge, cron at work, a login whose session is stored. Changes nothing that lasts: the
 * session is logged out again. One exec a host, and three more for the login.
 * @param hosts those that the run chose: nothing is asked of the others, and the login only where its edge
 *   and the host that keeps sessions are both among them
 * @param sessions open sessions by host name; a chosen host that is missing counts as unreachable
 */
export async function verify(
  cluster: Cluster,
  hosts: readonly Host[],
  sessions: ReadonlyMap<string, Session>,
  secrets: Pick<SecretStore, 'get'>,
  emit: Emit,
): Promise<readonly VerifyCheck[]> {
  const asked = [
    ...hostsWith(cluster, 'edge').map((host) => ({
      host,
      questions: edgeQuestions(cluster, host),
    })),
    ...hostsWith(cluster, 'cron').map((host) => ({ host, questions: [cronQuestion(host)] })),
  ].filter(({ host }) => hosts.includes(host));
  const edge = hosts.includes(sessionHost(cluster))
    ? hostsWith(cluster, 'edge').find((host) => hosts.includes(host))
    : undefined;
  const count = asked.reduce((sum, { questions }) => sum + questions.length, 0);
  emit({ type: 'verify-started', checks: count + (edge === undefined ? 0 : 1) });

  const checks: VerifyCheck[] = [];
  const report = (check: VerifyCheck): void => {
    checks.push(check);
    emit({ type: 'verify-checked', ...check });
  };
  await Promise.all(
    asked.map(async ({ host, questions }) => {
      for (const check of await ask(host, sessions.get(host.name), questions)) report(check);
    }),
  );
  if (edge !== undefined) report(await checkLogin(cluster, sessions, secrets, edge));
  return checks;
}

const curl = `curl -s -o /dev/null -m 10 -w '%{http_code}\\n'`;

function edgeQuestions(cluster: Cluster, edge: Host): readonly Question[] {
  const { domain } = cluster.odoo;
  const answers = (to: Host, port: number, path: string, unit: string): Question => ({
    check: `${to.name} ${path}`,
    command: `${curl} http://${addressOf(to, edge)}:${String(port)}${path}`,
    expect: '200',
    remedy: `on ${to.name}: systemctl status ${unit}; between ${edge.name} and it: port ${String(port)} must be open`,
  });
  return [
    {
      check: 'login page',
      // A self-signed certificate is no fault here; a given one is checked for its name and its chain.
      command: `${curl}${cluster.edge.tls === 'self-signed' ? ' -k' : ''} --resolve ${domain}:443:127.0.0.1 https://${domain}/web/login`,
      expect: '200',
      remedy: `on ${edge.name}: tail /var/log/nginx/error.log`,
    },
    ...hostsWith(cluster, 'app').map((to) => answers(to, HTTP_PORT, '/web/health', 'odoo-app')),
    ...hostsWith(cluster, 'gevent').map((to) =>
      answers(to, GEVENT_PORT, '/websocket/health', 'odoo-gevent'),
    ),
  ];
}

function cronQuestion(host: Host): Question {
  return {
    check: 'cron alive',
    command: CRON_WORKERS_COMMAND,
    expect: 'ok',
    remedy: `on ${host.name}: journalctl -u odoo-cron -n 50`,
  };
}

/** Asks a host all of its questions in one exec. */
async function ask(
  host: Host,
  session: Session | undefined,
  questions: readonly Question[],
): Promise<readonly VerifyCheck[]> {
  const failed = (detail: string): readonly VerifyCheck[] =>
    questions.map(({ check }) => ({ check, host: host.name, ok: false, detail }));
  if (session === undefined) return failed('the host could not be reached');
  try {
    const answer = await session.run(questionScript(questions), { limit: 15 * questions.length });
    const rows = answer.stdout.split('\n');
    return questions.map(({ check, expect, remedy }, i) => {
      const found = rows[i] ?? '';
      const ok = found === expect;
      const detail = ok
        ? found
        : `expected ${expect}, found ${found || 'no answer'}; next: ${remedy}`;
      return { check, host: host.name, ok, detail };
    });
  } catch (error) {
    if (error instanceof Failure) return failed(error.message);
    throw error;
  }
}

/** Runs every command, one line of answer each, whatever it prints and however it ends. */
function questionScript(questions: readonly Question[]): Script {
  return lines(
    questions.map(({ command }) => sh`echo "$({ ${raw(command)}; } 2>&1 </dev/null | head -n 1)"`),
  );
}
