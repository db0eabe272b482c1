import { z } from 'zod';
import { Failure } from '../failure/failure.js';
import { Secret } from '../shell/index.js';

/** What is inside the encryption. */
const contents = z.object({ version: z.literal(1), secrets: z.record(z.string(), z.string()) });

/**
 * Encrypts named secrets to the owners of all identities.
 * @returns an ASCII-armoured age file (https://age-encryption.org/v1): it can be committed and e-mailed
 */
export async function encryptSecrets(
  secrets: ReadonlyMap<string, Secret>,
  identities: readonly Secret[],
): Promise<string> {
  const { identityToRecipient } = await import('age-encryption');
  return encryptTo(
    secrets,
    await Promise.all(identities.map((identity) => identityToRecipient(identity.reveal()))),
  );
}

/** The same, to recipients whose identities are not here. */
export async function encryptTo(
  secrets: ReadonlyMap<string, Secret>,
  recipients: readonly string[],
): Promise<string> {
  const { armor, Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const named = [...secrets].map(([name, secret]) => [name, secret.reveal()] as const);
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify({ version: 1, secrets: Object.fromEntries(named) });
  return armor.encode(await encrypter.encrypt(text));
}

/**
 * The secrets in an armoured age file.
 * @param file path of it, for messages
 * @param key what the identities are, and where to look for the right one, for messages
 * @throws Failure when no identity fits, or when the file is cut or damaged
 */
export async function decryptSecrets(
  armoured: string,
  identities: readonly Secret[],
  file: string,
  key: { readonly name: string; readonly remedy: string },
): Promise<Map<string, Secret>> {
  const { armor, Decrypter } = await import('age-encryption');
  let text: string;
  try {
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity.reveal());
    text = await decrypter.decrypt(armor.decode(armoured), 'text');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw why.includes('no identity matched') ? wrongKey(file, key) : damaged(file, why);
  }
  return new Map(
    Object.entries(parse(text, file)).map(([name, value]) => [name, new Secret(value)]),
  );
}

function parse(text: string, file: string): Record<string, string> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is secret.
    throw damaged(file, 'what is inside is not JSON');
  }
  const read = contents.safeParse(data);
  if (!read.success) {
    throw damaged(file, 'what is inside is not of a form that this version of odoo-prov knows');
  }
  return read.data.secrets;
}

function wrongKey(
  file: string,
  { name, remedy }: { readonly name: string; readonly remedy: string },
): Failure {
  return new Failure({
    reason: 'usage',
    message: `${name} does not open ${file}`,
    expected: 'the key that was there when the secrets were made',
    remedy,
  });
}

function damaged(file: string, why: string): Failure {
  return new Failure({
    reason: 'usage',
    message: `the secrets file ${file} is cut or damaged`,
    found: why,
    remedy:
      'bring it back from a backup or from version control; do not delete it: it holds the passwords of the running cluster',
  });
}
