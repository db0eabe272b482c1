import { Failure, type Reason } from '../failure/failure.js';
import { formatPlace } from './address.js';
import type { Target } from './target.js';

/** The server closed the connection before it said anything of SSH: it takes no more at the moment. */
export class Dropped extends Error {
  override readonly name = 'Dropped';
}

interface Explanation {
  readonly reason: Reason;
  readonly message: string;
  readonly remedy: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly explain: (place: string, target: Target) => Explanation;
}

const unreachable =
  (why: string, remedy: (target: Target) => string) =>
  (place: string, target: Target): Explanation => ({
    reason: 'unreachable',
    message: `${place}: ${why}`,
    remedy: remedy(target),
  });

/** Node's error codes and OpenSSH's words for what a bastion could not reach, in the order they are tried. */
const RULES: readonly Rule[] = [
  {
    pattern: /ENOTFOUND|EAI_AGAIN|name or service not known|unknown host|name resolution/i,
    explain: unreachable('the name does not resolve', (t) =>
      t.via === undefined
        ? `check the address in the inventory: \`getent hosts ${t.host}\` must answer`
        : `check the address in the inventory: ${t.host} must resolve on the ${t.via.label}`,
    ),
  },
  {
    pattern: /ECONNREFUSED|connection refused/i,
    explain: unreachable(
      'connection refused: nothing listens there',
      (t) => `check that sshd runs there and listens on port ${t.port} (ssh.port in the inventory)`,
    ),
  },
  {
    pattern: /EHOSTUNREACH|ENETUNREACH|no route to host|network is unreachable/i,
    explain: unreachable(
      'no route to the host',
      (t) => `check that ${t.host} is up and that routes and firewalls let port ${t.port} through`,
    ),
  },
  {
    pattern: /administratively prohibited/i,
    explain: unreachable(
      'the bastion does not forward to it',
      (t) =>
        `allow it in sshd_config of the ${t.via?.label ?? 'bastion'}: AllowTcpForwarding, PermitOpen`,
    ),
  },
  {
    pattern: /ETIMEDOUT|timed out/i,
    explain: unreachable(
      'no answer (timed out)',
      (t) => `check that ${t.host} is up and that no firewall drops port ${t.port}`,
    ),
  },
  {
    pattern: /no matching (key exchange|host key|c->s|s->c|cipher)|handshake failed/i,
    explain: unreachable(
      'it shares no SSH algorithm with odoo-prov',
      () => 'allow a current key exchange, host key type and cipher in its sshd_config',
    ),
  },
];

/** Characters of a foreign greeting that are shown. */
const SHOWN = 80;

/** What sshd itself says, without a greeting, to those whom it turns away. */
const TURNED_AWAY = /MaxStartups|not allowed at this time|refused|denied|tcpwrapper/i;

/** What a server said first, if that is not SSH (RFC 4253, 4.2: a line that begins with `SSH-`). */
export function foreignGreeting(said: string): string | undefined {
  if (/^SSH-/m.test(said) || TURNED_AWAY.test(said)) return undefined;
  const first = said
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '').trim())
    .find((line) => line !== '');
  // A TLS server answers in bytes only.
  if (first === undefined) {
    return said.trim() === ''
      ? undefined
      : `bytes ${Buffer.from(said.slice(0, 16), 'latin1').toString('hex')}`;
  }
  return first.length > SHOWN ? `${first.slice(0, SHOWN)}…` : first;
}

function notSsh(target: Target, greeting: string, cause: unknown): Failure {
  return new Failure({
    reason: 'unreachable',
    host: target.label,
    message: `${formatPlace(target.host, target.port)}: it answers, but not as SSH`,
    expected: 'a line that begins with SSH-2.0',
    found: greeting,
    remedy: `another service listens on port ${target.port}: give sshd's port (ssh.port in the inventory)`,
    cause,
  });
}

/**
 * The user-visible failure for an error while connecting.
 * @param said what the server wrote before the connection ended, where that was not SSH
 */
export function connectFailure(target: Target, error: unknown, said = ''): Failure {
  if (error instanceof Failure) return error;
  const text = errorText(error);
  const place = formatPlace(target.host, target.port);
  const greeting = error instanceof Dropped ? foreignGreeting(said) : undefined;
  if (greeting !== undefined) return notSsh(target, greeting, error);
  const rule = RULES.find(({ pattern }) => pattern.test(text));
  const explanation = rule?.explain(place, target) ?? {
    reason: 'unreachable',
    message:
      error instanceof Dropped
        ? `${place}: it closes new connections at once`
        : `${place}: ${text}`,
    remedy:
      error instanceof Dropped
        ? 'wait a moment and run again; if it stays so, look at MaxStartups and PerSourcePenalties in its sshd_config'
        : `try \`ssh -v -p ${target.port} ${target.user}@${target.host}\` and run again`,
  };
  return new Failure({
    ...explanation,
    host: target.label,
    ...(said.trim() !== '' && { output: said.trim() }),
    cause: error,
  });
}

/**
 * The failure for a connection that was not up when its time was over: unreachable, how far it came, since nothing was asked of
 * the host.
 * @param said what the server wrote until then
 */
export function connectTimeout(target: Target, seconds: number, stage: string, said = ''): Failure {
  const greeting = foreignGreeting(said);
  if (greeting !== undefined) return notSsh(target, greeting, undefined);
  const place = formatPlace(target.host, target.port);
  return new Failure({
    reason: 'unreachable',
    host: target.label,
    message: `${place}: no answer within ${seconds} s while ${stage}`,
    remedy:
      stage === 'connecting'
        ? `check that ${target.host} is up and that no firewall drops port ${target.port}`
        : said === ''
          ? `the connection is taken and nothing is said: the host hangs, is frozen or overloaded, or its sshd is. Look at its console; if other ways into it work, at its load`
          : `the host answers but is slow: look at its load, and at \`UseDNS\` and PAM on it`,
  });
}

/**
 * The failure for a server that takes none of the keys.
 * @param tried one line a key
 * @param accepted the methods that the server named
 */
export function authenticationFailure(
  target: Target,
  tried: string,
  accepted: readonly string[],
  cause: unknown,
): Failure {
  const place = formatPlace(target.host, target.port);
  const methods = accepted.length === 0 ? '' : `; it takes ${accepted.join(', ')}`;
  const tooMany = /too many authentication failures/i.test(errorText(cause));
  const noKeys = accepted.length > 0 && !accepted.includes('publickey');
  return new Failure({
    reason: 'authentication',
    host: target.label,
    message: tooMany
      ? `${place}: too many keys were offered for ${target.user}`
      : `${place} accepts none of the keys for ${target.user}${methods}`,
    found: tried.replaceAll('\n', '; '),
    remedy: tooMany
      ? 'name the right key: ssh.key in the inventory, and `IdentitiesOnly yes` in ~/.ssh/config'
      : noKeys
        ? 'odoo-prov logs in by key only: set `PubkeyAuthentication yes` in its sshd_config'
        : `put a public key on it (ssh-copy-id -p ${target.port} ${target.user}@${target.host}), or name the right key or user: ssh.key, ssh.user`,
    cause,
  });
}

function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(errorText).join('; ');
  }
  if (!(error instanceof Error)) return String(error);
  // A bastion that may not forward says no more than this number (RFC 4254, 5.1).
  if ('reason' in error && error.reason === 1) return 'administratively prohibited';
  return 'code' in error && typeof error.code === 'string' && !error.message.includes(error.code)
    ? `${error.code} ${error.message}`
    : error.message;
}
