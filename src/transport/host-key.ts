import { createHash } from 'node:crypto';

/**
 * Signature algorithms by the type of host key, best first; the order is OpenSSH's, except that SHA-1
 * (`ssh-rsa`) is not offered. The key types are those that ssh2 can verify.
 */
const ALGORITHMS = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
} as const;

export type HostKeyAlgorithm = (typeof ALGORITHMS)[keyof typeof ALGORITHMS][number];

/** The type that a public key blob names in its first field (RFC 4253, 6.6). */
export function keyType(blob: Buffer): string {
  if (blob.length < 4) return 'unknown';
  const length = blob.readUInt32BE(0);
  return length > 0 && length <= blob.length - 4
    ? blob.toString('latin1', 4, 4 + length)
    : 'unknown';
}

/** A key's fingerprint as OpenSSH prints it: `SHA256:…`, base64 without padding. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The type's short name as OpenSSH prints it: ED25519, RSA, ECDSA. */
export function shortType(type: string): string {
  if (type.includes('ed25519')) return 'ED25519';
  if (type.startsWith('ecdsa') || type.includes('-ecdsa-')) return 'ECDSA';
  return type === 'ssh-rsa' ? 'RSA' : type;
}

/** `ED25519 SHA256:…`, for messages. */
export function describeKey(blob: Buffer): string {
  return `${shortType(keyType(blob))} ${fingerprint(blob)}`;
}

/**
 * The algorithms to offer, those of the key types known for a host first. The server picks the first that it
 * has, so a host pinned by its ed25519 key presents that one; the other types stay on offer, so that a host
 * that no longer has the known key shows what it has instead and can be refused with both fingerprints.
 */
export function hostKeyAlgorithms(knownTypes: readonly string[]): HostKeyAlgorithm[] {
  const types = Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[];
  const known = types.filter((type) => knownTypes.includes(type));
  const others = types.filter((type) => !knownTypes.includes(type));
  return [...known, ...others].flatMap((type) => [...ALGORITHMS[type]]);
}
