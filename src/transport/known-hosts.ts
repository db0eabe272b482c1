import { createHmac, timingSafeEqual } from 'node:crypto';

/** One line of a known_hosts file that holds a key. */
export interface KnownHost {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly marker?: 'revoked' | 'cert-authority';
  /** The first field: names and patterns, comma-separated, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
}

export type Verdict =
  | { readonly state: 'known'; readonly at: KnownHost }
  | { readonly state: 'new'; readonly onlyAuthority: boolean }
  | { readonly state: 'changed'; readonly known: readonly KnownHost[] }
  | { readonly state: 'revoked'; readonly at: KnownHost };

/**
 * Reads a known_hosts file (format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Comments, empty lines and lines
 * that are not of that form are left out, as OpenSSH does.
 */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  return text.split('\n').flatMap((row, index) => {
    const fields = row.trim().split(/\s+/);
    if (row.trim() === '' || row.trim().startsWith('#')) return [];
    const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined;
    if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return [];
    const [hosts, type, encoded] = fields;
    if (hosts === undefined || type === undefined || encoded === undefined) return [];
    const key = Buffer.from(encoded, 'base64');
    if (key.length === 0) return [];
    const entry = { file, line: index + 1, hosts, type, key };
    if (marker === '@revoked') return [{ ...entry, marker: 'revoked' as const }];
    if (marker === '@cert-authority') return [{ ...entry, marker: 'cert-authority' as const }];
    return [entry];
  });
}

/** Whether a first field names a host. @param name as {@link knownHostsName} gives it */
export function namesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return hashedNameIs(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  const hit = (pattern: string): boolean => matchesPattern(pattern, name.toLowerCase());
  if (patterns.some((p) => p.startsWith('!') && hit(p.slice(1)))) return false;
  return patterns.some((p) => !p.startsWith('!') && hit(p));
}

function hashedNameIs(hosts: string, name: string): boolean {
  const [, version, salt, digest] = hosts.split('|');
  if (version !== '1' || salt === undefined || digest === undefined) return false;
  const wanted = Buffer.from(digest, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/** OpenSSH patterns: `*` any run of characters, `?` exactly one (ssh_config(5), PATTERNS). */
export function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/**
 * What the known hosts say of a key that a host presents.
 *
 * A revoked key is revoked whatever else is known. A line that names another key, of whatever type, makes it
 * `changed`: the known types are offered first, so a host that still had the known key would present it.
 * Keys of certificate authorities are never a host's own key.
 * @param name `host` or `[host]:port`
 * @param plainName the host without its port: OpenSSH accepts a key known under it for any port, yet does not
 *   take another key under it as a change
 */
export function judgeHostKey(
  known: readonly KnownHost[],
  name: string,
  plainName: string,
  key: Buffer,
): Verdict {
  const named = known.filter((entry) => namesHost(entry.hosts, name));
  const plain = known.filter((entry) => namesHost(entry.hosts, plainName));
  const same = (entry: KnownHost): boolean => entry.key.equals(key);
  const revoked = [...named, ...plain].find((e) => e.marker === 'revoked' && same(e));
  if (revoked !== undefined) return { state: 'revoked', at: revoked };
  const own = named.filter((entry) => entry.marker === undefined);
  const match = own.find(same) ?? plain.find((e) => e.marker === undefined && same(e));
  if (match !== undefined) return { state: 'known', at: match };
  if (own.length > 0) return { state: 'changed', known: own };
  return { state: 'new', onlyAuthority: named.some((e) => e.marker === 'cert-authority') };
}

/** The key types known for a host, under its name with the port or, failing that, without. */
export function knownTypes(
  known: readonly KnownHost[],
  name: string,
  plainName: string,
): readonly string[] {
  const types = (wanted: string): string[] =>
    known
      .filter((entry) => entry.marker === undefined && namesHost(entry.hosts, wanted))
      .map((entry) => entry.type);
  const named = types(name);
  return named.length > 0 ? named : types(plainName);
}
