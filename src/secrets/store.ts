import { readFile } from 'node:fs/promises';
import { Failure } from '../failure/failure.js';
import { Secret } from '../shell/index.js';
import { decryptSecrets, encryptSecrets } from './encryption.js';
import { isCode, writePrivateFile } from './files.js';
import { generateSecretValue } from './generate.js';
import { createKeyFile, KEY_FILE_VARIABLE, keyFilePath, readKeyFile } from './key-file.js';
import { withFileLock } from './lock.js';

/** The secrets of one inventory, opened. */
export interface SecretStore {
  /** Absolute path of the encrypted file. */
  readonly file: string;
  /** The secret of this name; a new random value at its first use, the same ever after. */
  get(name: string): Secret;
  /** Replaces a value, for one that was changed outside; {@link save} writes it. */
  set(name: string, value: Secret): void;
  /** The secret of this name if there is one; never makes one. */
  find(name: string): Secret | undefined;
  /** The names, sorted. */
  names(): readonly string[];
  /** Every value, for {@link redact}. */
  values(): readonly Secret[];
  /**
   * Writes values made since opening. Call it before anything is sent to a host: a value that was given away
   * but not kept would be another one next time. Does nothing when there is nothing new, or for a dry run.
   * @throws Failure run-lock when another run made a value of the same name in the meantime
   */
  save(): Promise<void>;
}

export interface OpenOptions {
  /** A dry run: new values live in memory only, neither secrets nor key file are written. */
  readonly dryRun?: boolean;
  /** The key file; {@link keyFilePath} if not given. */
  readonly keyFile?: string;
}

/** Where the secrets of an inventory are kept: beside it, `acme.yaml` has `acme.secrets.age`. */
export function secretsFileOf(inventoryFile: string): string {
  return `${inventoryFile.replace(/\.ya?ml$/, '')}.secrets.age`;
}

/**
 * Opens the secrets of an inventory; none yet is fine.
 * @param inventoryFile path of the inventory
 * @throws Failure when the key file is missing, too open or does not fit, or the secrets are damaged
 */
export async function openSecrets(
  inventoryFile: string,
  options: OpenOptions = {},
): Promise<SecretStore> {
  const file = secretsFileOf(inventoryFile);
  const keyFile = options.keyFile ?? keyFilePath();
  return new FileSecretStore(file, keyFile, options.dryRun ?? false, await read(file, keyFile));
}

class FileSecretStore implements SecretStore {
  readonly file: string;
  readonly #keyFile: string;
  readonly #dryRun: boolean;
  readonly #values: Map<string, Secret>;
  /** Names of values made since opening. */
  readonly #unsaved = new Set<string>();
  /** Names of values that were set: they win over what the file has. */
  readonly #replaced = new Set<string>();

  constructor(file: string, keyFile: string, dryRun: boolean, values: Map<string, Secret>) {
    this.file = file;
    this.#keyFile = keyFile;
    this.#dryRun = dryRun;
    this.#values = values;
  }

  get(name: string): Secret {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const made = new Secret(generateSecretValue());
    this.#values.set(name, made);
    this.#unsaved.add(name);
    return made;
  }

  set(name: string, value: Secret): void {
    this.#values.set(name, value);
    this.#unsaved.add(name);
    this.#replaced.add(name);
  }

  find(name: string): Secret | undefined {
    return this.#values.get(name);
  }

  names(): readonly string[] {
    return [...this.#values.keys()].sort();
  }

  values(): readonly Secret[] {
    return [...this.#values.values()];
  }

  async save(): Promise<void> {
    if (this.#dryRun || this.#unsaved.size === 0) return;
    try {
      await withFileLock(this.file, () => this.#merge());
    } catch (error) {
      throw error instanceof Failure ? error : unwritable(this.file, error);
    }
  }

  async #merge(): Promise<void> {
    const identities = (await readKeyFile(this.#keyFile)) ?? (await createKeyFile(this.#keyFile));
    const merged = await read(this.file, this.#keyFile);
    for (const name of this.#unsaved) {
      const mine = this.#values.get(name);
      if (mine === undefined) continue;
      // Roles have already used our value: it cannot be swapped now, and nothing has been sent yet.
      if (merged.has(name) && !this.#replaced.has(name)) throw madeTwice(this.file, name);
      merged.set(name, mine);
    }
    await writePrivateFile(this.file, await encryptSecrets(merged, identities));
    for (const [name, value] of merged) this.#values.set(name, value);
    this.#unsaved.clear();
    this.#replaced.clear();
  }
}

async function read(file: string, keyFile: string): Promise<Map<string, Secret>> {
  let armoured: string;
  try {
    armoured = await readFile(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return new Map();
    throw new Failure({
      reason: 'usage',
      message: `the secrets file ${file} cannot be read`,
      found: error instanceof Error ? error.message : String(error),
      remedy: 'make it readable for you; it belongs to whoever runs odoo-prov',
      cause: error,
    });
  }
  const identities = await readKeyFile(keyFile);
  if (identities === undefined) {
    throw new Failure({
      reason: 'usage',
      message: `the key to ${file} is missing`,
      expected: `a key file at ${keyFile}`,
      remedy: `copy it there from where these secrets were made, or name it in ${KEY_FILE_VARIABLE}`,
    });
  }
  return decryptSecrets(armoured, identities, file, {
    name: `the key in ${keyFile}`,
    remedy: `put that key file there, or name it in ${KEY_FILE_VARIABLE}`,
  });
}

function madeTwice(file: string, name: string): Failure {
  return new Failure({
    reason: 'run-lock',
    message: `another odoo-prov made the secret ${name} at the same time`,
    found: `${file} has a value of it now; nothing was sent to a host by this run`,
    remedy: 'run the same command again: it will use that value',
  });
}

function unwritable(file: string, cause: unknown): Failure {
  return new Failure({
    reason: 'usage',
    message: `the secrets file ${file} cannot be written`,
    found: cause instanceof Error ? cause.message : String(cause),
    remedy: 'make the folder of the inventory writable for you; nothing was sent to a host',
    cause,
  });
}
