import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { Script, Secret } from '../shell/index.js';
import { execute, type ExecAnswer } from './channel.js';
import type { Link } from './link.js';
import type { Attempt, PasswordGate } from './password-gate.js';
import type { Answer, ForwardingSession, RunOptions, Session } from './session.js';
import { afterStart, shownError, sudoFailure } from './sudo-failure.js';
import { type Elevation, promptMarker, startMarker, wireText } from './wire.js';

const DEFAULT_LIMIT = 60;

/** How a session becomes root. */
export interface Become {
  readonly user: string;
  readonly elevation: Elevation;
  /** With `sudo-password`: the password, and what guards it for the whole run. */
  readonly password?: { readonly secret: Secret; readonly gate: PasswordGate };
}

/** A session over one SSH connection. See {@link Session}. */
export class SshSession implements ForwardingSession {
  readonly host: Host;
  readonly #link: Link;
  readonly #become: Become;
  #execs = 0;

  constructor(host: Host, link: Link, become: Become) {
    this.host = host;
    this.#link = link;
    this.#become = become;
  }

  get use(): Session['use'] {
    return {
      connections: 1,
      execs: this.#execs,
      bytesSent: this.#link.bytes.sent(),
      bytesReceived: this.#link.bytes.received(),
    };
  }

  async run(script: Script, options: RunOptions = {}): Promise<Answer> {
    const { password } = this.#become;
    if (password === undefined) return this.#exec(script, options, () => undefined);
    return password.gate.run(this.host.name, (tell) => this.#exec(script, options, tell));
  }

  forward(address: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => {
        reject(notForwarded(this.host.name, address, port, cause));
      };
      const gone = this.#link.lost();
      if (gone !== undefined) {
        refuse(gone);
        return;
      }
      try {
        this.#link.client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
          if (error === undefined) resolve(channel);
          else refuse(error);
        });
      } catch (error) {
        refuse(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #exec(
    script: Script,
    options: RunOptions,
    tell: (outcome: Attempt) => void,
  ): Promise<Answer> {
    const nonce = randomBytes(8).toString('hex');
    const limit = options.limit ?? DEFAULT_LIMIT;
    const text = wireText(script, {
      elevation: this.#become.elevation,
      nonce,
      limit,
      fed: options.feed !== undefined,
    });
    const passwordLine = this.#passwordLine();
    const seen = { prompt: false };
    this.#execs += 1;
    const answer = await execute(this.#link, {
      host: this.host.name,
      command: text.command,
      input: text.input === undefined ? undefined : `${passwordLine}${text.input}`,
      feed: options.feed,
      limit,
      signal: options.signal,
      onLine: options.onLine,
      onErrorLine: (line) => {
        if (line.includes(promptMarker(nonce))) seen.prompt = true;
        if (line.endsWith(startMarker(nonce))) tell(seen.prompt ? 'accepted' : 'not-tried');
      },
      shown: (stderr) => shownError(stderr, nonce),
    });
    const stderr = afterStart(answer.stderr, nonce);
    if (stderr !== undefined) return { code: answer.code, stdout: answer.stdout, stderr };
    const failure = this.#notStarted(answer, nonce);
    tell(seen.prompt && failure.reason === 'sudo-password' ? 'refused' : 'not-tried');
    throw failure;
  }

  #passwordLine(): string {
    const { password } = this.#become;
    if (password === undefined) return '';
    const line = password.secret.reveal();
    if (/[\n\r\0]/.test(line) || line === '') {
      throw new Failure({
        reason: 'sudo-password',
        host: this.host.name,
        message: 'sudo’s password is empty or more than one line',
        remedy: 'give it as one line (--ask-become-pass, or a file that holds nothing else)',
      });
    }
    return `${line}\n`;
  }

  #notStarted(answer: ExecAnswer, nonce: string): Failure {
    const { user, elevation, password } = this.#become;
    const { code, stdout, stderr } = answer;
    // A shell that cannot read the script is no matter of sudo, and would be a mistake of ours.
    if (elevation !== 'none' && !/^sh: \d+: /m.test(stderr)) {
      const withPassword = password !== undefined;
      return sudoFailure({ host: this.host.name, user, nonce, withPassword, code, stderr });
    }
    const output = `${stdout}\n${stderr}`.trim();
    return new Failure({
      reason: 'command-failed',
      host: this.host.name,
      message: `the script was not started (exit code ${code})`,
      ...(output !== '' && { output }),
      remedy: `log in as ${user} and see whether \`sh -c true\` works: the login shell, a ForceCommand or a full disk may be in the way`,
    });
  }
}

function notForwarded(host: string, address: string, port: number, cause: Error): Failure {
  return new Failure({
    reason: 'unreachable',
    host,
    message: `no connection from it to ${address}:${String(port)}: ${cause.message}`,
    remedy: `on the host: does something listen there (ss -Htln sport = :${String(port)}), and does sshd forward (AllowTcpForwarding yes)?`,
    cause,
  });
}
