import type { Place } from './build.js';
import { checkFile } from './check-file.js';
import type { Mistake } from './source.js';
import { unsupported } from './values.js';
import { isRecord, type View } from './view.js';

/** Database names that mean something else to PostgreSQL or PgBouncer. */
const RESERVED = ['postgres', 'template0', 'template1', 'pgbouncer'];

function database(view: View): Mistake[] {
  const name = view.at('odoo', 'database');
  if (typeof name !== 'string' || !RESERVED.includes(name)) return [];
  const message = `"${name}" is a database of PostgreSQL or PgBouncer itself`;
  return [{ path: ['odoo', 'database'], at: 'value', message, expected: 'another name' }];
}

/** Which of two ways is meant cannot be told. */
function oneSource(view: View): Mistake[] {
  const source = view.at('odoo', 'source');
  if (!isRecord(source)) return [];
  const given = ['debian', 'apt'].filter((key) => source[key] !== undefined);
  if (given.length === 1) return [];
  const message = given.length === 0 ? 'no source of Odoo' : 'two sources of Odoo';
  const expected = '{ debian: { accept_unstable: true } } or { apt: { uri, key, … } }';
  return [{ path: ['odoo', 'source'], at: 'key', message, expected }];
}

/** What only some versions or sources can do together. */
function sourceAndVersion(view: View): Mistake[] {
  const version = view.at('odoo', 'version');
  const debian = view.at('odoo', 'source', 'debian');
  if (debian === undefined || typeof version !== 'string' || version === '19.0') return [];
  const message = unsupported(`Odoo ${version} from Debian`);
  const expected = 'version "19.0": Debian has no other';
  return [{ path: ['odoo', 'version'], at: 'value', message, expected }];
}

/** Files that the inventory names and an apply will send. */
function files(view: View, place: Place): Mistake[] {
  return [
    checkFile(
      view,
      place,
      ['odoo', 'source', 'apt', 'key'],
      'an ASCII-armoured public key',
      /-----BEGIN PGP PUBLIC KEY BLOCK-----/,
    ),
    checkFile(
      view,
      place,
      ['edge', 'tls', 'certificate'],
      'a PEM certificate',
      /-----BEGIN CERTIFICATE-----/,
    ),
    checkFile(
      view,
      place,
      ['edge', 'tls', 'key'],
      'a PEM private key',
      /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
    ),
  ].flat();
}

/** Mistakes in what is said of Odoo and of files beside the inventory. */
export function checkOdoo(view: View, place: Place): Mistake[] {
  return [...database(view), ...oneSource(view), ...sourceAndVersion(view), ...files(view, place)];
}
