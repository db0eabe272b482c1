import { createHash, randomBytes } from 'node:crypto';
import type { RequestKind } from '../failover-test/requests.js';
import type { OdooSession } from './odoo-session.js';
import { RequestError } from './request-error.js';

/** Asks a question of a kind, and records what came of it. @param name of what it makes */
export type Ask = <T>(kind: RequestKind, question: () => Promise<T>, name?: string) => Promise<T>;

/** What one user does all day: creates a record, reads it, uploads a file, downloads it, each in its turn. */
export class OdooWork {
  /** A model of which the user may create and read records. */
  readonly #model: string;
  #record: { readonly id: number; readonly name: string } | undefined;
  #file: { readonly id: number; readonly hash: string } | undefined;

  constructor(model: string) {
    this.#model = model;
  }

  /**
   * The turn's step. What could not be made is not asked for either: it is made anew in its turn.
   * @param name of what this turn makes
   * @throws RequestError when it was not answered, or not with what was stored
   */
  async step(session: OdooSession, ask: Ask, turn: number, name: string): Promise<void> {
    const steps = [this.#create, this.#read, this.#upload, this.#download];
    await steps[turn % steps.length]?.call(this, session, ask, name);
  }

  async #create(session: OdooSession, ask: Ask, name: string): Promise<void> {
    this.#record = undefined;
    const question = (): Promise<unknown> => session.call(this.#model, 'create', [[{ name }]]);
    this.#record = { id: firstId(await ask('create', question, name)), name };
  }

  async #read(session: OdooSession, ask: Ask): Promise<void> {
    if (this.#record === undefined) return;
    const { id, name } = this.#record;
    await ask('read', async () => {
      const rows = await session.call(this.#model, 'read', [[id], ['name']]);
      const [row] = rows as readonly { readonly name?: string }[];
      if (row?.name !== name) throw new RequestError('another record', { sent: true });
    });
  }

  async #upload(session: OdooSession, ask: Ask, name: string): Promise<void> {
    this.#file = undefined;
    const content = randomBytes(2048);
    const values = { name, datas: content.toString('base64'), type: 'binary' };
    const question = (): Promise<unknown> => session.call('ir.attachment', 'create', [[values]]);
    this.#file = { id: firstId(await ask('upload', question, name)), hash: sha256(content) };
  }

  async #download(session: OdooSession, ask: Ask): Promise<void> {
    if (this.#file === undefined) return;
    const { id, hash } = this.#file;
    await ask('download', async () => {
      const content = await session.get(`/web/content/${id}?download=1`);
      if (sha256(content) !== hash) throw new RequestError('another file', { sent: true });
    });
  }
}

function firstId(result: unknown): number {
  const [id] = Array.isArray(result) ? (result as readonly unknown[]) : [result];
  if (typeof id === 'number') return id;
  throw new RequestError('no record came back', { sent: true });
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
