import { readIfThere } from './files.js';

/** The `nameserver` addresses of a resolv.conf. */
export function parseNameservers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap((match) => match[1] ?? []);
}

/**
 * The machine's name servers as its hosts can use them: where the machine asks a stub on its own
 * loopback (systemd-resolved), the ones behind the stub.
 */
export async function machineNameservers(): Promise<string[]> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const servers = parseNameservers(await readIfThere(file));
    const reachable = servers.filter((server) => !server.startsWith('127.') && server !== '::1');
    if (reachable.length > 0) return reachable;
  }
  return [];
}
