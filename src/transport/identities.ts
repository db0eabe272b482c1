import { readFile } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { Failure } from '../failure/failure.js';
import type { Secret } from '../shell/index.js';

/** How often a wrong passphrase may be corrected; OpenSSH's NumberOfPasswordPrompts. */
const PASSPHRASE_TRIES = 3;

/** A private key in a file whose public half is known, so that it is unlocked only when a host takes it. */
export interface Identity {
  readonly path: string;
  readonly public: ParsedKey;
  /** Whether signing needs a passphrase that has not been given yet. */
  readonly locked: boolean;
}

type AskPassphrase = (keyPath: string) => Promise<Secret>;

/** The private keys of one run: each file is read once, each passphrase asked once. */
export class IdentityStore {
  readonly #files = new Map<string, Promise<Identity | undefined>>();
  readonly #keys = new Map<string, Promise<ParsedKey>>();

  /**
   * @param ask for keys whose public half cannot be read without the passphrase (old PEM files without `.pub`)
   * @returns undefined where the file does not exist
   * @throws Failure authentication: it exists and is not a usable private key
   */
  async load(path: string, ask: AskPassphrase | undefined): Promise<Identity | undefined> {
    const known = this.#files.get(path) ?? this.#read(path, ask);
    this.#files.set(path, known);
    return known;
  }

  /** The private key itself. @throws Failure authentication: nobody gave the right passphrase */
  unlock(path: string, ask: AskPassphrase | undefined): Promise<ParsedKey> {
    const known = this.#keys.get(path) ?? this.#open(path, ask);
    this.#keys.set(path, known);
    return known;
  }

  async #read(path: string, ask: AskPassphrase | undefined): Promise<Identity | undefined> {
    const text = await readKeyFile(path);
    if (text === undefined) return undefined;
    const parsed = ssh2.utils.parseKey(text);
    if (!(parsed instanceof Error)) {
      if (!parsed.isPrivateKey()) throw notPrivate(path, 'it holds a public key');
      this.#keys.set(path, Promise.resolve(parsed));
      return { path, public: parsed, locked: false };
    }
    if (!isLocked(parsed)) throw notPrivate(path, parsed.message);
    const half = publicHalf(text) ?? (await publicFile(path));
    if (half !== undefined) return { path, public: half, locked: true };
    return { path, public: await this.unlock(path, ask), locked: false };
  }

  async #open(path: string, ask: AskPassphrase | undefined): Promise<ParsedKey> {
    const text = await readKeyFile(path);
    if (text === undefined) throw notPrivate(path, 'it has been removed meanwhile');
    if (ask === undefined) throw passphraseMissing(path);
    for (let tries = 1; tries <= PASSPHRASE_TRIES; tries += 1) {
      const key = ssh2.utils.parseKey(text, (await ask(path)).reveal());
      if (!(key instanceof Error)) return key;
    }
    throw new Failure({
      reason: 'authentication',
      message: `the passphrase of ${path} was wrong ${PASSPHRASE_TRIES} times`,
      remedy: `try it by \`ssh-keygen -y -f ${path}\`, or load the key into an agent with ssh-add`,
    });
  }
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw notPrivate(path, error instanceof Error ? error.message : String(error));
  }
}

function isLocked(error: Error): boolean {
  return /passphrase/i.test(error.message);
}

/** OpenSSH's own format keeps the public half readable beside the encrypted one (PROTOCOL.key). */
function publicHalf(text: string): ParsedKey | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64');
  let at = 'openssh-key-v1\0'.length;
  const field = (): Buffer => {
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    return bytes.subarray(start, at);
  };
  try {
    field(); // cipher
    field(); // key derivation
    field(); // its options
    at += 4; // number of keys, always 1
    return publicKey(field());
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function publicFile(path: string): Promise<ParsedKey | undefined> {
  const text = await readKeyFile(`${path}.pub`);
  return text === undefined ? undefined : publicKey(text);
}

function publicKey(data: Buffer | string): ParsedKey | undefined {
  const key = ssh2.utils.parseKey(data);
  return key instanceof Error ? undefined : key;
}

function notPrivate(path: string, why: string): Failure {
  return new Failure({
    reason: 'authentication',
    message: `${path} cannot be used as a private key: ${why}`,
    remedy: 'name a private key that `ssh-keygen -y -f FILE` can read, as ssh.key or IdentityFile',
  });
}

function passphraseMissing(path: string): Failure {
  return new Failure({
    reason: 'authentication',
    message: `${path} is protected by a passphrase, and nobody can be asked for it here`,
    remedy: 'load the key into an agent (ssh-add) before the run, or run on a terminal',
  });
}
