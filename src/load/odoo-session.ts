import type { Secret } from '../shell/index.js';
import { EdgeConnection, type Reply } from './edge-connection.js';
import { RequestError, SESSION_LOST } from './request-error.js';
import type { Way } from './way.js';

/** What all users of a test share. */
export interface OdooAccess {
  /** The edges. */
  readonly ways: readonly Way[];
  readonly domain: string;
  readonly database: string;
  readonly login: string;
  readonly password: Secret;
  /** The name of these users in the edges' logs. */
  readonly agent: string;
}

/** Odoo's code for "your session has expired" in JSON-RPC. */
const EXPIRED = 100;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** One user of Odoo in a browser: a cookie jar, and what the web client asks. */
export class OdooSession {
  readonly #access: OdooAccess;
  readonly #connection: EdgeConnection;
  readonly #cookies = new Map<string, string>();

  /** @param place which edge to begin with */
  constructor(access: OdooAccess, place: number) {
    this.#access = access;
    this.#connection = new EdgeConnection(access.ways, access.domain, place);
  }

  /** The edge that was asked last. */
  get through(): string {
    return this.#connection.through;
  }

  /** For a websocket of the same user. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** @throws RequestError */
  async logIn(): Promise<void> {
    this.#cookies.clear();
    const { database, login, password } = this.#access;
    const params = { db: database, login, password: password.reveal() };
    const found = await this.#rpc('/web/session/authenticate', params);
    if (typeof (found as { uid?: unknown } | null)?.uid !== 'number') {
      throw new RequestError('login refused', { sent: true });
    }
  }

  /** @throws RequestError */
  async logOut(): Promise<void> {
    await this.#rpc('/web/session/destroy', {});
    this.#cookies.clear();
  }

  /**
   * Calls a method of a model, as the web client does.
   * @throws RequestError; SESSION_LOST where Odoo does not know this user any more
   */
  call(
    model: string,
    method: string,
    args: readonly unknown[],
    context: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> {
    const params = { model, method, args, kwargs: { context } };
    return this.#rpc(`/web/dataset/call_kw/${model}/${method}`, params);
  }

  /** Downloads a file, or loads a page. @throws RequestError; SESSION_LOST where Odoo does not know this user any more */
  async get(path: string): Promise<Buffer> {
    const reply = await this.#ask({ method: 'GET', path, headers: {} });
    // Only strangers are sent elsewhere: to the login page; to the same one, with a new session, where Odoo has just
    // taken the old one away.
    if (REDIRECTS.includes(reply.status)) throw new RequestError(SESSION_LOST, { sent: true });
    if (reply.status !== 200) throw new RequestError(`HTTP ${reply.status}`, { sent: true });
    return reply.body;
  }

  close(): void {
    this.#connection.close();
  }

  async #rpc(path: string, params: unknown): Promise<unknown> {
    const reply = await this.#ask({
      ...{ method: 'POST', path, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'call', id: 1, params }),
    });
    if (reply.status !== 200) throw new RequestError(`HTTP ${reply.status}`, { sent: true });
    const { result, error } = parsed(reply.body);
    if (error === undefined) return result ?? null;
    const lost = error.code === EXPIRED;
    throw new RequestError(lost ? SESSION_LOST : (error.data?.name ?? 'an error of Odoo'), {
      sent: true,
    });
  }

  async #ask(question: Parameters<EdgeConnection['ask']>[0]): Promise<Reply> {
    const reply = await this.#connection.ask({
      ...question,
      headers: {
        ...question.headers,
        'user-agent': this.#access.agent,
        ...(this.#cookies.size === 0 ? {} : { cookie: this.cookie }),
      },
    });
    for (const cookie of reply.headers['set-cookie'] ?? []) this.#keep(cookie);
    return reply;
  }

  #keep(cookie: string): void {
    const [pair = ''] = cookie.split(';');
    const at = pair.indexOf('=');
    if (at > 0) this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly data?: { readonly name?: string } };
}

function parsed(body: Buffer): RpcAnswer {
  try {
    return JSON.parse(body.toString('utf8')) as RpcAnswer;
  } catch {
    throw new RequestError('not an answer of JSON-RPC', { sent: true });
  }
}
