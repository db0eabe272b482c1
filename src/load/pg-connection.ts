import type { Duplex } from 'node:stream';
import { Client } from 'pg';
import type { Secret } from '../shell/index.js';

/** Whom to log in as. */
export interface Login {
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
}

/** One client of PostgreSQL or PgBouncer, over a connection that somebody else made. */
export interface PgConnection {
  /** @throws DatabaseError with SQLSTATE, or an Error when the connection is gone or the limit is over */
  query(text: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Whether the other side has closed it: nothing can be sent any more. */
  ended(): boolean;
  /** Ends it at once; a query that is running fails. */
  destroy(): void;
}

/** Seconds until a login is given up. */
const LOGIN_SECONDS = 10;

/**
 * Logs in over a connection, without TLS: the connection is SSH's, and ends on the host itself.
 * @param querySeconds until a query is given up
 */
export async function connectPg(
  channel: Duplex,
  login: Login,
  querySeconds: number,
): Promise<PgConnection> {
  const client = new Client({
    stream: () => asSocket(channel),
    host: 'the forwarded connection',
    port: 0,
    user: login.user,
    database: login.database,
    password: login.password.reveal(),
    ssl: false,
    connectionTimeoutMillis: LOGIN_SECONDS * 1000,
    query_timeout: querySeconds * 1000,
    application_name: 'odoo-prov failover-test',
  });
  // What a query does not hear of (the connection ends while nothing runs) is noticed by the next one.
  client.on('error', () => undefined);
  let ended = false;
  channel.once('end', () => (ended = true));
  channel.once('close', () => (ended = true));
  try {
    await client.connect();
  } catch (error) {
    channel.destroy();
    throw error;
  }
  return {
    query: async (text, values) => {
      const { rows } = await client.query<Record<string, unknown>>(text, [...values]);
      return rows;
    },
    ended: () => ended,
    destroy: () => channel.destroy(),
  };
}

/** pg wants a socket that it connects itself; this one is connected already. */
function asSocket(channel: Duplex): Duplex {
  const nothing = (): Duplex => channel;
  // SSH keeps the other direction open when the server's end is closed: pg would wait for an answer for ever.
  channel.once('end', () => channel.destroy());
  return Object.assign(channel, {
    connect: (): Duplex => {
      process.nextTick(() => channel.emit('connect'));
      return channel;
    },
    ...{ setNoDelay: nothing, setKeepAlive: nothing, ref: nothing, unref: nothing },
  });
}
