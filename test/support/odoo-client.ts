import { request } from 'node:https';

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A visitor of Odoo through one edge, with a cookie jar; the self-signed certificate is not checked. */
export class OdooClient {
  readonly #edge: string;
  readonly #domain: string;
  readonly #cookies = new Map<string, string>();

  /**
   * @param edge the edge's address
   * @param domain the name under which it is asked
   */
  constructor(edge: string, domain: string) {
    this.#edge = edge;
    this.#domain = domain;
  }

  get sessionId(): string {
    return this.#cookies.get('session_id') ?? '';
  }

  /** Logs in by Odoo's own form. @throws when the form is missing or the password is not taken */
  async logIn(user: string, password: string): Promise<void> {
    const page = await this.get('/web/login');
    const token = /name="csrf_token" value="([^"]+)"/.exec(page.text)?.[1];
    if (token === undefined) throw new Error(`no login form: ${page.status}\n${page.text}`);
    const form = new URLSearchParams({ csrf_token: token, login: user, password });
    const reply = await this.#send('POST', '/web/login', form.toString());
    if (reply.status !== 303) throw new Error(`the login was answered with ${reply.status}`);
  }

  /** The name of who is logged in, from a page that only users get. */
  async whoAmI(): Promise<string> {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'call', params: {} });
    const reply = await this.#send('POST', '/web/session/get_session_info', body);
    const { result } = JSON.parse(reply.text) as { result?: { username?: string } };
    return result?.username ?? `nobody: ${reply.text}`;
  }

  get(path: string): Promise<Reply> {
    return this.#send('GET', path);
  }

  #send(method: string, path: string, body?: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const json = body?.startsWith('{') === true;
      const sent = request(
        {
          host: this.#edge,
          servername: this.#domain,
          method,
          path,
          rejectUnauthorized: false,
          timeout: 60_000,
          headers: {
            host: this.#domain,
            cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
            ...(body !== undefined && {
              'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
              'content-length': Buffer.byteLength(body),
            }),
          },
        },
        (reply) => {
          for (const cookie of reply.headers['set-cookie'] ?? []) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
            if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
          }
          let text = '';
          reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text }));
          reply.on('error', reject);
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`${path}: no answer within a minute`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
