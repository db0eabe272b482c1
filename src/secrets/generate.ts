import { randomInt } from 'node:crypto';

/**
 * Letters and digits only: such a value needs no escaping in odoo.conf (where `%` and `;` mean something),
 * in a `redis://:password@host` URL, in PgBouncer's userlist, in SQL or in a shell word.
 */
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 32 characters of 62: 190 bits. */
export const SECRET_LENGTH = 32;

/** A new random value from the operating system's generator, without modulo bias. */
export function generateSecretValue(): string {
  return Array.from({ length: SECRET_LENGTH }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join(
    '',
  );
}
