import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { RequestError } from './request-error.js';
import type { Way } from './way.js';

/** An edge's answer. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Milliseconds until an edge that does not take a connection is given up for the next one. */
const OPEN = 5000;
/** Milliseconds until a person stops waiting for an answer. */
const PATIENCE = 30_000;

/**
 * TLS with an edge, over a connection that somebody else made. The certificate is not checked: the connection is
 * SSH's and ends on the edge itself, and whether the certificate is good is for `status` to say.
 * @throws RequestError when it cannot be made in time
 */
export async function openTls(way: Way, domain: string): Promise<TLSSocket> {
  const late = new AbortController();
  const opened = secure(way, domain);
  try {
    const socket = await Promise.race([opened, sleep(OPEN, undefined, { signal: late.signal })]);
    if (socket !== undefined) return socket;
    // It may still come: nobody wants it any more.
    opened.then(
      (socketTooLate) => socketTooLate.destroy(),
      () => undefined,
    );
    throw new RequestError('timeout', { sent: false });
  } catch (error) {
    throw error instanceof RequestError ? error : new RequestError('unreachable', { sent: false });
  } finally {
    late.abort();
  }
}

async function secure(way: Way, domain: string): Promise<TLSSocket> {
  const channel = await way.open();
  // SSH keeps the other direction open when the server's end is closed.
  channel.once('end', () => channel.destroy());
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: channel, servername: domain, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    // What happens while nothing is asked is noticed by the next question.
    socket.on('error', () => undefined);
  });
}

/** A visitor's connection to the edges: kept open, and made anew with the next edge where one does not take it. */
export class EdgeConnection {
  readonly #ways: readonly Way[];
  readonly #domain: string;
  #place: number;
  #open: { readonly socket: TLSSocket; readonly agent: Agent } | undefined;

  /** @param place which edge to begin with, as names with several addresses lead to any of them */
  constructor(ways: readonly Way[], domain: string, place: number) {
    this.#ways = ways;
    this.#domain = domain;
    this.#place = place;
  }

  /** The edge that is asked now. */
  get through(): string {
    return this.#way().host;
  }

  /** @throws RequestError where no edge takes the connection, or no answer comes */
  async ask(question: Question): Promise<Reply> {
    const { agent } = await this.#connected();
    try {
      return await this.#send(question, agent);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#open?.agent.destroy();
    this.#open?.socket.destroy();
    this.#open = undefined;
  }

  #way(): Way {
    const way = this.#ways[this.#place % this.#ways.length];
    if (way === undefined) throw new Error('there is no edge');
    return way;
  }

  async #connected(): Promise<{ readonly agent: Agent }> {
    if (this.#open !== undefined && !this.#open.socket.destroyed) return this.#open;
    this.close();
    let last: unknown;
    let left = this.#ways.length;
    while (left > 0) {
      left -= 1;
      try {
        const socket = await openTls(this.#way(), this.#domain);
        this.#open = { socket, agent: agentFor(socket) };
        return this.#open;
      } catch (error) {
        last = error;
        this.#place += 1;
      }
    }
    throw last;
  }

  #send({ method, path, headers, body }: Question, agent: Agent): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request({
        ...{ method, path, agent, host: this.#domain, timeout: PATIENCE },
        headers: {
          ...headers,
          host: this.#domain,
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      });
      const failed = (code: string): void => reject(new RequestError(code, { sent: true }));
      sent.on('response', (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', () => failed('cut off'));
        answer.on('end', () => {
          const { statusCode: status = 0, headers: answered } = answer;
          resolve({ status, headers: answered, body: Buffer.concat(parts) });
        });
      });
      sent.on('timeout', () => {
        failed('timeout');
        sent.destroy();
      });
      sent.on('error', () => failed('cut off'));
      sent.end(body);
    });
  }
}

/** Sends every request over one connection that is there already, and keeps it. */
function agentFor(socket: TLSSocket): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return Object.assign(agent, { createConnection: () => socket });
}
