import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from 'pg';
import type { Write } from '../failover-test/ledger.js';
import { Failure } from '../failure/failure.js';
import { connectPg, type Login, type PgConnection } from './pg-connection.js';
import type { Way } from './way.js';

export interface WritersOptions {
  readonly clients: number;
  /** The PgBouncers. Each client begins with another one, and takes the next when its own fails, as Odoo does. */
  readonly ways: readonly Way[];
  readonly login: Login;
  /** A table with the columns client and sequence. */
  readonly table: string;
  /** Milliseconds on the scenario's clock. */
  readonly now: () => number;
}

/** Milliseconds between two writes of a client: ten a second, so that a gap is known to the tenth. */
const INTERVAL = 100;
/** Seconds until a client gives a write up and connects anew: longer than PgBouncer lets clients wait (30 s). */
const PATIENCE = 40;
/** SQLSTATE of "read-only transaction": the server says that it has not written. */
const READ_ONLY = '25006';

/** Clients that write one row after the other, and the ledger of what they were told. */
export class Writers {
  readonly #options: WritersOptions;
  readonly #ledger: Write[] = [];
  readonly #connections = new Set<PgConnection>();
  #clients: readonly Promise<void>[] = [];
  #stopped = false;

  constructor(options: WritersOptions) {
    this.#options = options;
  }

  /** Their numbers. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.#options.clients }, (_, client) => client);
  }

  /** What has been written so far; grows. */
  get ledger(): readonly Write[] {
    return this.#ledger;
  }

  start(): void {
    this.#clients = this.numbers.map((client) => this.#run(client));
  }

  /** Lets each client end its write, for some seconds at most; then the ledger is complete. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const ended = Promise.all(this.#clients);
    await Promise.race([ended, sleep(3000, undefined, { ref: false })]);
    for (const connection of this.#connections) connection.destroy();
    await ended;
  }

  /** Whether each client was told of a success that it asked for after this moment. */
  allWroteSince(moment: number): boolean {
    return this.numbers.every((number) =>
      this.#ledger.some(
        ({ client, outcome, begun }) =>
          client === number && outcome === 'acknowledged' && begun >= moment,
      ),
    );
  }

  async #run(client: number): Promise<void> {
    const { ways, now } = this.#options;
    // Not all at the same moment.
    await sleep((INTERVAL * client) / this.#options.clients);
    let connection: PgConnection | undefined;
    for (let place = client, sequence = 1; !this.#stopped; sequence += 1) {
      const way = ways[place % ways.length];
      if (way === undefined) throw new Error('there is no PgBouncer');
      const begun = now();
      let sent = false;
      const told = (rest: Pick<Write, 'outcome'> & Partial<Write>): void => {
        this.#ledger.push({ client, sequence, begun, ended: now(), through: way.host, ...rest });
      };
      try {
        if (connection?.ended() === true) {
          this.#drop(connection);
          connection = undefined;
        }
        connection ??= await this.#connect(way);
        sent = true;
        told({ outcome: 'acknowledged', ...(await this.#write(connection, client, sequence)) });
      } catch (error) {
        const code = errorName(error);
        told({ outcome: sent && code !== READ_ONLY ? 'unknown' : 'refused', error: code });
        if (connection !== undefined) this.#drop(connection);
        connection = undefined;
        place += 1;
      }
      await sleep(Math.max(5, begun + INTERVAL - now()));
    }
    if (connection !== undefined) this.#drop(connection);
  }

  async #connect(way: Way): Promise<PgConnection> {
    const connection = await connectPg(await way.open(), this.#options.login, PATIENCE);
    this.#connections.add(connection);
    return connection;
  }

  #drop(connection: PgConnection): void {
    connection.destroy();
    this.#connections.delete(connection);
  }

  async #write(
    connection: PgConnection,
    client: number,
    sequence: number,
  ): Promise<Pick<Write, 'lsn' | 'timeline'>> {
    const [row] = await connection.query(
      `insert into ${this.#options.table} (client, sequence) values ($1, $2)
       returning pg_current_wal_insert_lsn()::text as lsn, pg_walfile_name(pg_current_wal_insert_lsn()) as segment`,
      [client, sequence],
    );
    const lsn = row?.['lsn'];
    const segment = row?.['segment'];
    if (typeof lsn !== 'string' || typeof segment !== 'string') throw new Error('no row came back');
    // The first eight digits of a segment's name are its timeline.
    return { lsn, timeline: Number.parseInt(segment.slice(0, 8), 16) };
  }
}

/** SQLSTATE, the network's own name for it, or what is said, cut short. */
function errorName(error: unknown): string {
  if (error instanceof DatabaseError && error.code !== undefined) return error.code;
  if (error instanceof Failure) return error.reason;
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : error.message.slice(0, 60);
}
