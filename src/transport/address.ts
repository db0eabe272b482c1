/** Where an SSH server is, as a person writes it. What is undefined comes from `~/.ssh/config`. */
export interface Address {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

export const SSH_PORT = 22;

/**
 * Reads `[user@]host[:port]`, `[user@][v6]:port` or `ssh://…`: what OpenSSH takes for `-J` and ProxyJump.
 * @returns undefined where the text is none of these
 */
export function parseAddress(text: string): Address | undefined {
  const bare = text.trim().replace(/^ssh:\/\//, '');
  const at = bare.lastIndexOf('@');
  const user = at === -1 ? undefined : bare.slice(0, at);
  const place = parsePlace(bare.slice(at + 1));
  if (place === undefined || user === '') return undefined;
  return user === undefined ? place : { user, ...place };
}

function parsePlace(text: string): Address | undefined {
  const bracketed = /^\[([0-9A-Fa-f:.%\w]+)\](?::(\d+))?$/.exec(text);
  // More than one colon without brackets is an IPv6 address, which then cannot carry a port.
  const bare = /^[^:]*:[^:]*:.*$/.test(text)
    ? /^([0-9A-Fa-f:.]+(?:%\w+)?)$/.exec(text)
    : /^([^\s:[\]/,]+)(?::(\d+))?$/.exec(text);
  const match = bracketed ?? bare;
  const host = match?.[1];
  if (host === undefined) return undefined;
  const digits = match?.[2];
  if (digits === undefined) return { host };
  const port = Number(digits);
  return port >= 1 && port <= 65535 ? { host, port } : undefined;
}

/**
 * Reads a chain of bastions, the first to connect to first: `a,b` means that `b` is reached through `a`.
 * `none` is the empty chain.
 * @returns undefined where a link is not an address
 */
export function parseJumps(text: string): readonly Address[] | undefined {
  if (text.trim().toLowerCase() === 'none') return [];
  const links = text.split(',').map(parseAddress);
  return links.every((link) => link !== undefined) ? links : undefined;
}

/** `host`, or `host:port` for another port than 22, for messages. */
export function formatPlace(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === SSH_PORT ? host : `${name}:${port}`;
}

/** The name under which known_hosts keeps a host: `host`, or `[host]:port` (sshd(8), SSH_KNOWN_HOSTS). */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === SSH_PORT ? name : `[${name}]:${port}`;
}
