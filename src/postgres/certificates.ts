import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { Secret } from '../shell/index.js';
import * as der from './der.js';

/*
 * The TLS certificates between a repository and the database hosts. They are a function of one secret: keys
 * are derived from it, Ed25519 signs the same text always alike, and nothing ends. So a role can want them
 * as plain files, the key of the authority never leaves the operator's machine, each host gets its own key
 * only, and no archive ever stops because a certificate ran out. Libraries for X.509 draw keys at random
 * and sign asynchronously, which a role cannot use.
 */

/** What the other side has to find in a certificate beside its name. */
export interface CertificateNames {
  /** Compared letter by letter, addresses too: as pgBackRest does it. */
  readonly dns: readonly string[];
  /** IPv4 addresses, for programs that look for an address where the standard puts it (RFC 5280, 4.2.1.6). */
  readonly ip?: readonly string[];
}

/** A host's certificate with its key, and the authority that signed it; all PEM. */
export interface HostCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: Secret;
}

const ED25519 = der.sequence(der.oid('1.3.101.112'));
/** What stands before the 32 bytes of a key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const COMMON_NAME = '2.5.4.3';
/** "No well-defined expiration date" (RFC 5280, section 4.1.2.5). */
const VALIDITY = der.sequence(der.utcTime('200101000000Z'), der.generalizedTime('99991231235959Z'));
const AUTHORITY = 'odoo-prov backup';

/**
 * The certificate of one host.
 * @param secret what everything is derived from
 * @param name the host's, by which the other side authorises it; the common name
 * @param names what the other side connects to
 */
export function hostCertificate(
  secret: Secret,
  name: string,
  names: CertificateNames,
): HostCertificate {
  const authorityKey = keyFrom(secret, 'authority');
  const key = keyFrom(secret, `host ${name}`);
  const alternatives = [
    ...[name, ...names.dns].map((text) => der.tagged(2, Buffer.from(text), false)),
    ...(names.ip ?? []).map((text) =>
      der.tagged(7, Buffer.from(text.split('.').map(Number)), false),
    ),
  ];
  return {
    authority: certificate(AUTHORITY, authorityKey, authorityKey, [
      extension('2.5.29.19', true, der.sequence(der.boolean(true))),
      // keyCertSign
      extension('2.5.29.15', true, der.bits(Buffer.from([0x04]), 2)),
    ]),
    certificate: certificate(name, key, authorityKey, [
      extension('2.5.29.19', true, der.sequence()),
      // digitalSignature
      extension('2.5.29.15', true, der.bits(Buffer.from([0x80]), 7)),
      extension('2.5.29.17', false, der.sequence(...alternatives)),
    ]),
    key: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
  };
}

function keyFrom(secret: Secret, purpose: string): KeyObject {
  const seed = hkdfSync('sha256', secret.reveal(), 'odoo-prov pgbackrest tls', purpose, 32);
  const text = Buffer.concat([PKCS8_HEAD, Buffer.from(seed)]);
  return createPrivateKey({ key: text, format: 'der', type: 'pkcs8' });
}

function certificate(
  name: string,
  key: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const serial = createHash('sha256').update(name).update(publicKey).digest().subarray(0, 16);
  // A serial number is positive and does not begin with an empty byte.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const toSign = der.sequence(
    der.tagged(0, der.integer(Buffer.from([2])), true),
    der.integer(serial),
    ED25519,
    nameOf(AUTHORITY),
    VALIDITY,
    nameOf(name),
    publicKey,
    der.tagged(3, der.sequence(...extensions), true),
  );
  const whole = der.sequence(toSign, ED25519, der.bits(sign(null, toSign, signer)));
  const rows = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...rows, '-----END CERTIFICATE-----', ''].join('\n');
}

function nameOf(text: string): Buffer {
  return der.sequence(der.setOf(der.sequence(der.oid(COMMON_NAME), der.utf8(text))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}
