import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../failure/failure.js';
import { Secret } from '../shell/index.js';
import { createPrivateFile, isCode } from './files.js';

/** Names the key file where the default place does not suit. */
export const KEY_FILE_VARIABLE = 'ODOO_PROV_KEY_FILE';

/** Where the identity that opens the secrets is kept: `$ODOO_PROV_KEY_FILE`, or below the home folder. */
export function keyFilePath(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment[KEY_FILE_VARIABLE];
  if (given !== undefined && given !== '') return resolve(given);
  return join(homedir(), '.config', 'odoo-prov', 'age.key');
}

/**
 * Reads the identities of a key file (the format of `age-keygen`: one a line, `#` comments).
 * @returns undefined when there is no such file
 * @throws Failure when other users could read it, or when it holds no identity
 */
export async function readKeyFile(path: string): Promise<readonly Secret[] | undefined> {
  const status = await stat(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw unusable(path, error);
  });
  if (status === undefined) return undefined;
  if ((status.mode & 0o077) !== 0) throw tooOpen(path, status.mode);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(path, error);
  });
  const identities = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0 || !identities.every((line) => line.startsWith('AGE-SECRET-KEY-'))) {
    throw new Failure({
      reason: 'usage',
      message: `${path} is not an age key file`,
      expected: 'lines that start with AGE-SECRET-KEY-',
      remedy: `put the key file of these secrets there, or name it in ${KEY_FILE_VARIABLE}`,
    });
  }
  return identities.map((line) => new Secret(line));
}

/**
 * Makes a new key file with mode 0600. A file that is there is never overwritten: when another run made one
 * in the meantime, that one is read.
 */
export async function createKeyFile(path: string): Promise<readonly Secret[]> {
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const text =
    `# Opens the secrets of odoo-prov. Keep a copy in a safe place: without it they are lost.\n` +
    `# public key: ${recipient}\n${identity}\n`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (await createPrivateFile(path, text)) return [new Secret(identity)];
  } catch (error) {
    throw unusable(path, error);
  }
  return (await readKeyFile(path)) ?? [];
}

function tooOpen(path: string, mode: number): Failure {
  return new Failure({
    reason: 'refused',
    message: `other users of this machine can read the key file ${path}`,
    expected: 'mode 0600',
    found: `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`,
    remedy: `run: chmod 600 ${path}`,
  });
}

function unusable(path: string, cause: unknown): Failure {
  return new Failure({
    reason: 'usage',
    message: `the key file ${path} cannot be used`,
    found: cause instanceof Error ? cause.message : String(cause),
    remedy: `make it readable and its folder writable, or name another one in ${KEY_FILE_VARIABLE}`,
    cause,
  });
}
