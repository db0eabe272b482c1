import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { NodeSSH } from 'node-ssh';
import type { Client } from 'ssh2';
import { Failure } from '../failure/failure.js';
import {
  authenticationFailure,
  connectFailure,
  connectTimeout,
  Dropped,
  foreignGreeting,
} from './connect-failure.js';
import { Countdown } from './countdown.js';
import { hostKeyAlgorithms } from './host-key.js';
import type { KeyRing } from './key-ring.js';
import { meter, type Meter } from './meter.js';
import type { Target } from './target.js';

/** Seconds between keepalives, and how many may stay unanswered. */
const KEEPALIVE_SECONDS = 15;
const KEEPALIVE_MISSED = 3;
/** How long a closing connection may take to say goodbye. */
const CLOSE_MILLISECONDS = 1000;

/** An authenticated SSH connection. */
export interface Link {
  readonly client: Client;
  readonly bytes: Meter;
  /** Why it is gone; undefined while it stands. */
  readonly lost: () => Error | undefined;
  /** Calls back once when the connection ends; the function returned takes it back. */
  readonly onLost: (listener: (error: Error) => void) => () => void;
  readonly close: () => Promise<void>;
}

export interface LinkOptions {
  readonly ring: (onAsk: (waiting: boolean) => void) => Promise<KeyRing>;
  /** Throws to refuse. */
  readonly verify: (key: Buffer) => Promise<void>;
  readonly knownTypes: readonly string[];
  /** The connection to the bastion. */
  readonly via: Link | undefined;
  readonly seconds: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Connects, checks the host key and logs in.
 * @throws Failure unreachable, authentication, host-key, timeout, interrupted
 * @throws Dropped the server closed before it spoke SSH: worth another try
 */
export async function openLink(target: Target, options: LinkOptions): Promise<Link> {
  const attempt = new Attempt(target, options);
  return attempt.open();
}

class Attempt {
  readonly #target: Target;
  readonly #options: LinkOptions;
  #socket: Duplex | undefined;
  #stage = 'connecting';
  #spoken = '';
  #refusal: unknown;
  #ring: KeyRing | undefined;
  #accepted: readonly string[] = [];
  #over = false;
  #offered = false;

  constructor(target: Target, options: LinkOptions) {
    this.#target = target;
    this.#options = options;
  }

  async open(): Promise<Link> {
    const { signal, seconds } = this.#options;
    let stop: (reason: Failure) => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => (stop = reject));
    const countdown = new Countdown(seconds * 1000, () =>
      stop(connectTimeout(this.#target, seconds, this.#stage, this.#spoken)),
    );
    const abort = (): void => stop(interrupted(this.#target.label));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (signal?.aborted === true) throw interrupted(this.#target.label);
      return await Promise.race([this.#connect(countdown), stopped]);
    } catch (error) {
      this.#over = true;
      this.#socket?.destroy();
      throw this.#explain(error);
    } finally {
      countdown.pause();
      signal?.removeEventListener('abort', abort);
    }
  }

  async #connect(countdown: Countdown): Promise<Link> {
    this.#ring = await this.#options.ring((waiting) => {
      if (waiting) countdown.pause();
      else countdown.resume();
    });
    const socket = await this.#dial();
    this.#socket = socket;
    if (this.#over) {
      socket.destroy();
      throw new Error('given up meanwhile');
    }
    const bytes = meter(socket);
    socket.on('data', this.#listen);
    this.#stage = 'exchanging keys';
    return new Promise<Link>((resolve, reject) => {
      const client = this.#startClient(socket);
      const state = watch(client, socket);
      client.on('handshake', () => {
        this.#stage = 'logging in';
        socket.off('data', this.#listen);
      });
      client.on('ready', () => resolve({ client, bytes, ...state }));
      client.on('error', (error) => {
        // The agent could not sign with one key: ssh2 goes on with the next.
        if (!isAgentProblem(error)) reject(error);
      });
      client.on('close', () => reject(new Error('the connection was closed')));
    });
  }

  /** node-ssh makes the client; the events are followed here, since node-ssh stops listening when connected. */
  #startClient(socket: Duplex): Client {
    const ssh = new NodeSSH();
    const connecting = ssh.connect({
      sock: socket,
      username: this.#target.user,
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_SECONDS * 1000,
      keepaliveCountMax: KEEPALIVE_MISSED,
      algorithms: { serverHostKey: hostKeyAlgorithms(this.#options.knownTypes) },
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
        this.#options.verify(key).then(
          () => verify(true),
          (error: unknown) => {
            this.#refusal = error;
            verify(false);
          },
        );
      },
      authHandler: this.#nextMethod,
    });
    // Every outcome is followed through the client's own events below.
    connecting.catch(() => undefined);
    if (ssh.connection === null) throw new Error('node-ssh made no connection');
    return ssh.connection;
  }

  /**
   * Public keys first: asking by `none` what the server takes would cost a round trip. It is asked when the keys
   * are used up, for the error message (ssh2 does not tell what a server named in its answer to an agent's key).
   */
  readonly #nextMethod = (
    methods: readonly string[] | null,
    _partial: boolean,
    next: (method: never) => void,
  ): void => {
    const ring = this.#ring;
    const username = this.#target.user;
    const answer = next as (method: unknown) => void;
    if (methods !== null) {
      this.#accepted = methods;
      answer(false);
    } else if (this.#offered || ring === undefined || ring.isEmpty) {
      answer({ type: 'none', username });
    } else {
      this.#offered = true;
      answer({ type: 'agent', username, agent: ring });
    }
  };

  /** Keeps the beginning of what the server says, to explain a connection that it drops. */
  readonly #listen = (chunk: Buffer): void => {
    if (this.#spoken.length < 512) this.#spoken += chunk.toString('latin1', 0, 512);
  };

  #dial(): Promise<Duplex> {
    const { host, port } = this.#target;
    const { via } = this.#options;
    return new Promise((resolve, reject) => {
      if (via === undefined) {
        const socket = connect({ host, port, noDelay: true });
        this.#socket = socket;
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(socket);
        });
        return;
      }
      const gone = via.lost();
      if (gone !== undefined) {
        reject(gone);
        return;
      }
      via.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  #explain(error: unknown): Error {
    if (this.#refusal !== undefined) return connectFailure(this.#target, this.#refusal);
    if (error instanceof Failure) return error;
    const saidSsh = /^SSH-/m.test(this.#spoken);
    if (this.#stage === 'exchanging keys' && !saidSsh) {
      const dropped = new Dropped(this.#spoken.trim(), { cause: error });
      // What is no SSH server does not become one by trying again.
      return foreignGreeting(this.#spoken) === undefined
        ? dropped
        : connectFailure(this.#target, dropped, this.#spoken);
    }
    if (this.#stage !== 'logging in') return connectFailure(this.#target, error);
    const ring = this.#ring;
    if (ring?.problem instanceof Failure) return ring.problem;
    return authenticationFailure(this.#target, ring?.describe() ?? '', this.#accepted, error);
  }
}

/** Follows a client for as long as it lives: an error event without a listener would end the program. */
function watch(client: Client, socket: Duplex): Pick<Link, 'lost' | 'onLost' | 'close'> {
  const listeners = new Set<(error: Error) => void>();
  let lost: Error | undefined;
  let last: Error | undefined;
  client.on('error', (error) => (last = error));
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => {
      lost = last ?? new Error('the connection was closed by the other side');
      for (const listener of listeners) listener(lost);
      listeners.clear();
      resolve();
    });
  });
  return {
    lost: () => lost,
    onLost: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      client.end();
      const timer = setTimeout(() => socket.destroy(), CLOSE_MILLISECONDS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function isAgentProblem(error: Error): boolean {
  return 'level' in error && error.level === 'agent';
}

/** The failure for work that was stopped by the user. */
export function interrupted(host: string): Failure {
  return new Failure({
    reason: 'interrupted',
    host,
    message: 'stopped',
    remedy: 'run the same command again: it goes on from what it finds',
  });
}
