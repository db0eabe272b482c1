import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { Secret } from '../shell/index.js';

/** PostgreSQL's own default (`scram_iterations`), also before it could be set. */
const ITERATIONS = 4096;

/** Verifiers that were made already: a run needs the same one several times, and each takes some 20 ms. */
const made = new Map<string, Secret>();

/**
 * The verifier that PostgreSQL keeps for a password, `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey` (RFC 5802,
 * RFC 7677). PgBouncer can log in to the server with what a client proves only if its `userlist.txt` holds
 * the very same verifier, salt included; so the salt is derived and not random. The derivation costs as much
 * as a guess at the verifier itself: whoever learns the salt (the server tells it to anyone) gains nothing.
 * @param role the role's name, so that two roles with one password have different salts
 * @param password printable ASCII, for which SASLprep changes nothing
 */
export function scramVerifier(role: string, password: Secret): Secret {
  const plain = password.reveal();
  if (!/^[\x20-\x7e]+$/.test(plain)) {
    throw new Error(`the password of the PostgreSQL role ${role} must be printable ASCII`);
  }
  const saltOfSalt = `odoo-prov scram ${role}`;
  const key = `${role} ${plain}`;
  const verifier =
    made.get(key) ??
    verifierWithSalt(plain, pbkdf2Sync(plain, saltOfSalt, ITERATIONS, 16, 'sha256'));
  made.set(key, verifier);
  return verifier;
}

/** The verifier of a password for one salt (RFC 5802, section 3). */
export function verifierWithSalt(password: string, salt: Buffer): Secret {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return new Secret(
    `SCRAM-SHA-256$${String(ITERATIONS)}:${salt.toString('base64')}$${storedKey}:${serverKey}`,
  );
}
