import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import type { Secret } from '../shell/index.js';
import { fingerprint, shortType } from './host-key.js';
import { type Identity, IdentityStore } from './identities.js';
import type { Target } from './target.js';

interface RingKey {
  readonly public: ParsedKey;
  /** Where it comes from, for messages. */
  readonly source: string;
  readonly sign: (data: Buffer, options: SigningRequestOptions) => Promise<Buffer>;
}

export interface RingOptions {
  readonly askPassphrase: ((keyPath: string) => Promise<Secret>) | undefined;
  /** Told before and after somebody is asked, so that time limits stand still. */
  readonly onAsk: (waiting: boolean) => void;
}

/**
 * All keys that may open one host, as one agent to ssh2, which so offers them by public key alone: a
 * passphrase is asked only for a key that the host takes.
 */
export class KeyRing extends ssh2.BaseAgent<ParsedKey> {
  readonly #keys: readonly RingKey[];
  readonly #missing: readonly string[];
  #problem: unknown;

  constructor(keys: readonly RingKey[], missing: readonly string[]) {
    super();
    this.#keys = keys;
    this.#missing = missing;
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** Why a key that the host would have taken could not sign. */
  get problem(): unknown {
    return this.#problem;
  }

  /** One line a key, for messages. */
  describe(): string {
    const keys = this.#keys.map(
      ({ public: key, source }) =>
        `${shortType(key.type)} ${fingerprint(key.getPublicSSH())} (${source})`,
    );
    return [...keys, ...this.#missing].join('\n') || 'no key at all';
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(null, [...this.#keys.map((key) => key.public)]);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback;
    const how = typeof options === 'function' ? {} : options;
    const wanted = this.#keys.find((known) => known.public.equals(key));
    if (done === undefined || wanted === undefined) throw new Error('not a key of this ring');
    wanted.sign(data, how).then(
      (signature) => done(null, signature),
      (error: unknown) => {
        this.#problem = error;
        done(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }
}

/**
 * Gathers a target's keys: named files first (signed by the agent where it holds them), then the agent's other
 * keys unless `IdentitiesOnly`, then OpenSSH's default files.
 * @throws Failure authentication: a named key file cannot be used
 */
export async function gatherKeys(
  target: Target,
  store: IdentityStore,
  options: RingOptions,
): Promise<KeyRing> {
  const agent = target.agent === undefined ? undefined : new ssh2.OpenSSHAgent(target.agent);
  const { keys: inAgent, problem } = await agentKeys(agent, target.agent);
  const missing = problem === undefined ? [] : [problem];
  const files: Identity[] = [];
  for (const path of target.identityFiles) {
    const found = await loadIdentity(target, store, path, options);
    if (found !== undefined) files.push(found);
    else if (target.identitiesGiven) missing.push(`${path} does not exist`);
  }
  const named = files.map(
    (file) =>
      inAgent.find((key) => key.public.equals(file.public)) ?? fromFile(file, store, options),
  );
  const others = inAgent.filter((key) => !named.includes(key));
  const rest = target.identitiesOnly ? [] : others;
  return new KeyRing(target.identitiesGiven ? [...named, ...rest] : [...rest, ...named], missing);
}

/** Default files need not be usable: what nobody named is skipped when it is not. */
async function loadIdentity(
  target: Target,
  store: IdentityStore,
  path: string,
  options: RingOptions,
): Promise<Identity | undefined> {
  if (target.identitiesGiven) return store.load(path, options.askPassphrase);
  return store.load(path, undefined).catch(() => undefined);
}

function fromFile(file: Identity, store: IdentityStore, options: RingOptions): RingKey {
  return {
    public: file.public,
    source: file.path,
    sign: async (data, { hash }) => {
      if (file.locked) options.onAsk(true);
      try {
        return (await store.unlock(file.path, options.askPassphrase)).sign(data, hash);
      } finally {
        if (file.locked) options.onAsk(false);
      }
    },
  };
}

async function agentKeys(
  agent: ssh2.OpenSSHAgent | undefined,
  path: string | undefined,
): Promise<{ keys: readonly RingKey[]; problem?: string }> {
  if (agent === undefined) return { keys: [] };
  return new Promise((resolve) => {
    agent.getIdentities((error, found) => {
      if (error !== undefined && error !== null) {
        resolve({ keys: [], problem: `the agent at ${path ?? ''} does not answer` });
        return;
      }
      resolve({ keys: (found ?? []).map((key) => agentKey(agent, key as ParsedKey)) });
    });
  });
}

function agentKey(agent: ssh2.OpenSSHAgent, key: ParsedKey): RingKey {
  const sign = (data: Buffer, options: SigningRequestOptions): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      agent.sign(key, data, options, (error, signature) => {
        if (signature === undefined) reject(error ?? new Error('the agent did not sign'));
        else resolve(signature);
      });
    });
  return { public: key, source: key.comment === '' ? 'agent' : `agent: ${key.comment}`, sign };
}
