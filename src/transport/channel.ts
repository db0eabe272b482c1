import type { ClientChannel } from 'ssh2';
import { Failure } from '../failure/failure.js';
import type { Script } from '../shell/index.js';
import { LineSplitter } from './line-splitter.js';
import { interrupted, type Link } from './link.js';

export interface ExecRequest {
  /** The host's name, for failures. */
  readonly host: string;
  readonly command: string;
  /** Written to stdin at once. */
  readonly input: string | undefined;
  /** Written to stdin afterwards, as it comes. */
  readonly feed: AsyncIterable<Script> | undefined;
  /** Seconds. */
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly onLine: ((line: string) => void) | undefined;
  readonly onErrorLine: (line: string) => void;
  /** Standard error without our own lines, for people. */
  readonly shown: (stderr: string) => string;
}

export interface ExecAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one command over an open connection and waits for its end.
 * @throws Failure unreachable (the connection is gone, or the host opens no channel), timeout, interrupted,
 *   cut-answer (the channel closed without an exit code)
 */
export async function execute(link: Link, request: ExecRequest): Promise<ExecAnswer> {
  const gone = link.lost();
  if (gone !== undefined) throw lostBefore(request.host, gone);
  if (request.signal?.aborted === true) throw interrupted(request.host);
  let channel: ClientChannel | undefined;
  let over = false;
  let stop: (reason: Error) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => (stop = reject));
  const timer = setTimeout(() => stop(timedOut(request)), request.limit * 1000);
  const abort = (): void => stop(interrupted(request.host));
  request.signal?.addEventListener('abort', abort, { once: true });
  try {
    const answer = openChannel(link, request, (opened) => {
      channel = opened;
      if (over) {
        // It was given up while the channel was being opened: the script must not be sent any more.
        opened.close();
        return Promise.reject(new Error('given up'));
      }
      return converse(link, opened, request, stop);
    });
    return await Promise.race([answer, stopped]);
  } catch (error) {
    over = true;
    // The remote `timeout` ends what still runs there; TERM reaches it earlier where sshd passes it on.
    if (channel !== undefined && link.lost() === undefined) {
      channel.signal('TERM');
      channel.close();
    }
    throw error;
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', abort);
  }
}

/**
 * @param use called at once: the exit code of a short command may be in the same packet as the channel's
 *   confirmation, and who listens a tick later never hears of it
 */
function openChannel(
  link: Link,
  request: ExecRequest,
  use: (channel: ClientChannel) => Promise<ExecAnswer>,
): Promise<ExecAnswer> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(lostBefore(request.host, error));
    try {
      link.client.exec(request.command, (error, channel) => {
        if (error === undefined) resolve(use(channel));
        else refuse(error);
      });
    } catch (error) {
      refuse(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function converse(
  link: Link,
  channel: ClientChannel,
  request: ExecRequest,
  stop: (reason: Error) => void,
): Promise<ExecAnswer> {
  return new Promise((resolve, reject) => {
    const stdout = new LineSplitter(request.onLine);
    const stderr = new LineSplitter(request.onErrorLine);
    let code: number | undefined;
    let killedBy: string | undefined;
    let ended = false;
    const take = (into: LineSplitter) => (chunk: Buffer) => {
      try {
        into.push(chunk);
      } catch (error) {
        // A listener of the caller failed: that is the caller's error, not an uncaught one.
        stop(error instanceof Error ? error : new Error(String(error)));
      }
    };
    channel.on('data', take(stdout));
    channel.stderr.on('data', take(stderr));
    channel.on('exit', (status: number | null, signal?: string) => {
      if (status !== null) code = status;
      killedBy = signal;
    });
    // The command may end before it has read all of its input: its exit code says what came of it.
    channel.on('error', () => undefined);
    const finish = (): void => {
      if (ended) return;
      ended = true;
      forget();
      const output = `${stdout.text()}\n${request.shown(stderr.text())}`;
      if (code === undefined) reject(cutAnswer(request.host, killedBy, link.lost(), output));
      else resolve({ code, stdout: stdout.end(), stderr: stderr.end() });
    };
    const forget = link.onLost(finish);
    channel.on('close', finish);
    send(channel, request, () => ended).catch((error: unknown) =>
      stop(error instanceof Error ? error : new Error(String(error))),
    );
  });
}

async function send(
  channel: ClientChannel,
  request: ExecRequest,
  ended: () => boolean,
): Promise<void> {
  if (request.input !== undefined) channel.write(request.input);
  if (request.feed !== undefined) {
    for await (const script of request.feed) {
      if (ended() || !channel.writable) break;
      channel.write(`${script.render()}\n`);
    }
  }
  if (!ended()) channel.end();
}

function timedOut(request: ExecRequest): Failure {
  return new Failure({
    reason: 'timeout',
    host: request.host,
    message: `the command did not end within ${request.limit} s and was given up`,
    remedy:
      'look at what hangs on the host (ps -ef --forest), then run again; the host itself ends the command a few seconds later',
  });
}

function lostBefore(host: string, cause: Error): Failure {
  return new Failure({
    reason: 'unreachable',
    host,
    message: `no command could be started: ${cause.message}`,
    remedy: 'check that the host is up and run again',
    cause,
  });
}

function cutAnswer(
  host: string,
  killedBy: string | undefined,
  lost: Error | undefined,
  output: string,
): Failure {
  const why =
    killedBy !== undefined
      ? `the shell was ended by ${killedBy}`
      : lost !== undefined
        ? `the connection broke (${lost.message})`
        : 'the channel closed without an exit code';
  return new Failure({
    reason: 'cut-answer',
    host,
    message: `the answer is cut off: ${why}`,
    output: output.trim().split('\n').slice(-12).join('\n'),
    remedy:
      killedBy === 'SIGKILL'
        ? 'look for an out-of-memory kill in the host’s kernel log (journalctl -k), then run again'
        : 'run again: it goes on from what it finds on the host',
    cause: lost,
  });
}
