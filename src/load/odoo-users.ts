import { setTimeout as sleep } from 'node:timers/promises';
import type { Received, RequestKind, UserRequest } from '../failover-test/requests.js';
import { BusListener } from './bus-listener.js';
import { OdooSession, type OdooAccess } from './odoo-session.js';
import { OdooWork, type Ask } from './odoo-work.js';
import { RequestError, SESSION_LOST } from './request-error.js';

/** What the test has put into Odoo for its users. */
export interface OdooBait {
  /** A model of which the user may create and read records; each gets a name of its own. */
  readonly model: string;
  /** Names of all that the users make begin with it. */
  readonly mark: string;
  /** A server action that asks for a job and sends a message, both numbered `odoo_prov_number` in its context. */
  readonly signal: number;
  /** Of the messages. */
  readonly channel: string;
}

export interface OdooUsersOptions {
  readonly access: OdooAccess;
  readonly bait: OdooBait;
  /** Users who work. */
  readonly clients: number;
  /** Milliseconds on the scenario's clock. */
  readonly now: () => number;
}

/** Milliseconds between two requests of a user who works: one a second. */
const WORK_INTERVAL = 1000;
/** Between two messages, and between two logins of one who comes anew: the edge takes one a second of an address. */
const SIGNAL_INTERVAL = 2000;
const LOGIN_INTERVAL = 4000;
/** Between two pages of the web client. */
const PAGE_INTERVAL = 1000;
/** The web client, in every version of Odoo. */
const PAGE = '/web';
/** Users beside those who work: one sends messages, one logs in again and again, one loads pages. */
const OTHERS = 3;
/** Listeners, each beginning at another edge. */
const LISTENERS = 2;

/**
 * Users of Odoo: some work (create a record, read it, upload a file, download it), one logs in again and again, one
 * loads pages, one sends messages and asks for jobs, and some listen. And the ledger of what they were told.
 */
export class OdooUsers {
  readonly #options: OdooUsersOptions;
  readonly #ledger: UserRequest[] = [];
  readonly #received: Received[] = [];
  readonly #listeners: BusListener[] = [];
  #loops: readonly Promise<void>[] = [];
  #stopped = false;

  constructor(options: OdooUsersOptions) {
    this.#options = options;
  }

  /** Numbers of the users who work. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.#options.clients }, (_, client) => client);
  }

  /** What was asked so far; grows. */
  get ledger(): readonly UserRequest[] {
    return this.#ledger;
  }

  get received(): readonly Received[] {
    return this.#received;
  }

  get listeners(): readonly number[] {
    return this.#listeners.map((_, listener) => listener);
  }

  /** Why websockets were lost, with how often. */
  get lostWebsockets(): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const { errors } of this.#listeners) {
      for (const [said, count] of errors) all.set(said, (all.get(said) ?? 0) + count);
    }
    return all;
  }

  start(): void {
    const { clients } = this.#options;
    const workers = this.numbers.map((client) => this.#work(client));
    this.#loops = [
      ...workers,
      this.#signals(clients),
      this.#logins(clients + 1),
      this.#pages(clients + 2),
    ];
  }

  /** Whether each user who works got an answer to what was asked after this moment, and each listener is there. */
  allServedSince(moment: number): boolean {
    const served = [...this.numbers, this.#options.clients].every((number) =>
      this.#ledger.some(
        ({ client, outcome, begun, kind }) =>
          client === number && outcome === 'acknowledged' && begun >= moment && kind !== 'login',
      ),
    );
    return served && this.#listeners.every(({ listening }) => listening);
  }

  /** Nobody asks for anything new; listeners stay. */
  async rest(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async stop(): Promise<void> {
    await this.rest();
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
  }

  /** Logs in, as often as it takes, and goes on until the end; a lost session is logged in again. */
  async #asUser(
    client: number,
    interval: number,
    step: (session: OdooSession, turn: number) => Promise<void>,
  ): Promise<void> {
    const { access, clients, now } = this.#options;
    await sleep((interval * client) / (clients + OTHERS));
    const session = new OdooSession(access, client);
    let known = false;
    for (let turn = 1; !this.#stopped; turn += 1) {
      const begun = now();
      if (!known) known = await this.#told(session, client, 'login', () => session.logIn());
      else known = await this.#known(() => step(session, turn));
      // One who was refused does not storm the login.
      await this.#pause(known ? Math.max(20, begun + interval - now()) : LOGIN_INTERVAL);
    }
    if (known) await session.logOut().catch(ignoreRefusal);
    session.close();
  }

  /** Runs a step whose failures are in the ledger already. @returns whether the session still holds */
  async #known(step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return error.code !== SESSION_LOST;
    }
  }

  /** One who works. */
  #work(client: number): Promise<void> {
    const { bait } = this.#options;
    const work = new OdooWork(bait.model);
    return this.#asUser(client, WORK_INTERVAL, async (session, turn) => {
      const ask: Ask = (kind, question, name) => this.#asked(session, client, kind, question, name);
      await work.step(session, ask, turn, `${bait.mark} ${client}/${turn}`);
    });
  }

  /** One who sends messages and asks for jobs; with the first login of this user the listeners begin. */
  #signals(client: number): Promise<void> {
    const { bait } = this.#options;
    return this.#asUser(client, SIGNAL_INTERVAL, async (session, turn) => {
      if (this.#listeners.length === 0) this.#listen(session);
      const asked = (): Promise<unknown> =>
        session.call('ir.actions.server', 'run', [[bait.signal]], { odoo_prov_number: turn });
      await this.#asked(session, client, 'signal', asked, String(turn));
    });
  }

  /** One who logs in and out. */
  #logins(client: number): Promise<void> {
    return this.#asUser(client, LOGIN_INTERVAL, async (session) => {
      await session.logOut().catch(ignoreRefusal);
      await this.#asked(session, client, 'login', () => session.logIn());
    });
  }

  /** One who loads the web client's page: where the database is away, Odoo makes a stranger of whoever asks for a page. */
  #pages(client: number): Promise<void> {
    return this.#asUser(client, PAGE_INTERVAL, async (session) => {
      await this.#asked(session, client, 'page', () => session.get(PAGE));
    });
  }

  #listen(session: OdooSession): void {
    const { access, bait, now } = this.#options;
    for (let listener = 0; listener < LISTENERS; listener += 1) {
      const one = new BusListener({
        ...{ ways: access.ways, domain: access.domain, agent: access.agent },
        ...{ place: listener, channel: bait.channel, cookie: () => session.cookie },
        onMessage: (payload) => {
          const { number: message } = payload as { readonly number?: unknown };
          if (typeof message === 'number') this.#received.push({ listener, message, at: now() });
        },
      });
      this.#listeners.push(one);
      one.start();
    }
  }

  /** Asks, and records what came of it. @returns whether it was answered */
  async #told(
    session: OdooSession,
    client: number,
    kind: RequestKind,
    ask: () => Promise<unknown>,
  ): Promise<boolean> {
    try {
      await this.#asked(session, client, kind, ask);
      return true;
    } catch (error) {
      if (error instanceof RequestError) return false;
      throw error;
    }
  }

  /** The same; what failed is thrown. */
  async #asked<T>(
    session: OdooSession,
    client: number,
    kind: RequestKind,
    ask: () => Promise<T>,
    name?: string,
  ): Promise<T> {
    const begun = this.#options.now();
    const told = (rest: Pick<UserRequest, 'outcome' | 'error'>): void => {
      const ended = this.#options.now();
      this.#ledger.push({
        ...{ client, kind, begun, ended, through: session.through },
        ...(name === undefined ? {} : { name }),
        ...rest,
      });
    };
    try {
      const answer = await ask();
      told({ outcome: 'acknowledged' });
      return answer;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      told({ outcome: error.sent ? 'unknown' : 'refused', error: error.code });
      throw error;
    }
  }

  /** Ends early when all is to end. */
  async #pause(milliseconds: number): Promise<void> {
    const end = this.#options.now() + milliseconds;
    while (!this.#stopped && this.#options.now() < end) {
      await sleep(Math.min(100, Math.max(1, end - this.#options.now())));
    }
  }
}

/** Logging out while Odoo is away is nobody's loss: the session ends by itself. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof RequestError)) throw error;
}
