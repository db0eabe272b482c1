import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { openTls } from './edge-connection.js';
import type { Way } from './way.js';

export interface BusListenerOptions {
  /** The edges. */
  readonly ways: readonly Way[];
  /** Which of them to begin with. */
  readonly place: number;
  readonly domain: string;
  /** Of a user who is logged in; asked at each connection. */
  readonly cookie: () => string;
  readonly agent: string;
  /** Also the type of its messages. */
  readonly channel: string;
  /** Gets each message; one that the bus sends twice, twice. */
  readonly onMessage: (payload: unknown) => void;
}

/** Milliseconds from a lost connection to the next attempt, as Odoo's web client waits. */
const RECONNECT = 1000;
/** Milliseconds between two pings: a connection whose other end is gone says nothing by itself. */
const PING = 5000;

/** What Odoo's bus sends, as far as it is read. */
interface Notification {
  readonly id?: number;
  readonly message?: { readonly type?: string; readonly payload?: unknown };
}

/**
 * One browser's websocket to Odoo's bus: subscribes to a channel, connects anew when it is lost, and then asks for
 * what came after the last message that it had, as Odoo's web client does.
 */
export class BusListener {
  readonly #options: BusListenerOptions;
  /** Of the last message that was received. */
  #last = 0;
  #place: number;
  #socket: WebSocket | undefined;
  #stopped = false;
  #work: Promise<void> = Promise.resolve();
  /** How often a connection could not be made, or was closed, by what was said. */
  readonly errors = new Map<string, number>();

  constructor(options: BusListenerOptions) {
    this.#options = options;
    this.#place = options.place;
  }

  start(): void {
    this.#work = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#socket?.terminate();
    await this.#work;
  }

  /** Whether it is connected, and has asked for its channel. */
  get listening(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  async #run(): Promise<void> {
    for (;;) {
      const said = await this.#connection();
      if (this.#stopped) return;
      this.errors.set(said, (this.errors.get(said) ?? 0) + 1);
      this.#place += 1;
      await sleep(RECONNECT);
    }
  }

  /** One connection, from its beginning to its end. @returns why it ended */
  async #connection(): Promise<string> {
    const { ways, domain } = this.#options;
    const way = ways[this.#place % ways.length];
    if (way === undefined) throw new Error('there is no edge');
    try {
      const channel = await openTls(way, domain);
      return await this.#talk(channel);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #talk(channel: Awaited<ReturnType<typeof openTls>>): Promise<string> {
    const { domain, cookie, agent } = this.#options;
    return new Promise((resolve) => {
      const socket = new WebSocket(`wss://${domain}/websocket`, {
        createConnection: () => channel,
        handshakeTimeout: 10_000,
        headers: { cookie: cookie(), 'user-agent': agent, origin: `https://${domain}` },
      });
      this.#socket = socket;
      if (this.#stopped) socket.terminate();
      let answered = true;
      let why: string | undefined;
      const ping = setInterval(() => {
        if (!answered) {
          why ??= 'no answer to a ping';
          socket.terminate();
        }
        answered = false;
        if (socket.readyState === WebSocket.OPEN) socket.ping();
      }, PING);
      socket.on('pong', () => (answered = true));
      socket.on('open', () => {
        answered = true;
        const data = { channels: [this.#options.channel], last: this.#last };
        socket.send(JSON.stringify({ event_name: 'subscribe', data }));
      });
      socket.on('message', (data) => {
        answered = true;
        this.#receive((data as Buffer).toString('utf8'));
      });
      socket.on('error', (error) => (why ??= error.message));
      socket.on('close', (code) => {
        clearInterval(ping);
        channel.destroy();
        resolve(why ?? `closed with ${code}`);
      });
    });
  }

  #receive(text: string): void {
    const notifications: unknown = JSON.parse(text);
    if (!Array.isArray(notifications)) return;
    for (const { id, message } of notifications as readonly Notification[]) {
      if (typeof id === 'number') this.#last = Math.max(this.#last, id);
      // Odoo sends every user its own messages as well.
      if (message?.type === this.#options.channel) this.#options.onMessage(message.payload);
    }
  }
}
