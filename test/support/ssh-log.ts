import type { FullCluster } from './full-lab.js';
import { lines } from './host-state.js';

/** Connections and sessions that sshd accepted, by its own log; those of the tests' own shells are left out. */
export interface SshUse {
  readonly connections: number;
  readonly execs: number;
}

/** Makes every sshd say when a session starts. */
export async function logSessions(full: FullCluster): Promise<void> {
  await full.mustAll(`f=/etc/ssh/sshd_config.d/00-odoo-prov-test.conf
if [ ! -e $f ]; then mkdir -p /etc/ssh/sshd_config.d; echo 'LogLevel VERBOSE' > $f; systemctl reload ssh; fi`);
}

/** What each host's sshd logged while `work` ran. */
export async function countSsh(
  full: FullCluster,
  work: () => Promise<void>,
): Promise<Readonly<Record<string, SshUse>>> {
  const before = await full.mustAll(
    `journalctl -q -n 1 -o json --output-fields=MESSAGE | sed 's/.*"__CURSOR":"\\([^"]*\\)".*/\\1/'\n${OWN_PORT}`,
  );
  await work();
  const counted = full.hosts.map(async (host): Promise<[string, SshUse]> => {
    const [cursor = '', port = ''] = lines(before[host] ?? '');
    const text = await full.must(
      host,
      `${OWN_PORT}\njournalctl -q -o cat --after-cursor='${cursor}' -t sshd -t sshd-session`,
    );
    const [portNow = '', ...log] = lines(text);
    const theirs = log.filter((line) =>
      [port, portNow].every((own) => !line.includes(` port ${own} `)),
    );
    return [
      host,
      {
        connections: theirs.filter((line) => line.startsWith('Accepted publickey')).length,
        execs: theirs.filter((line) => line.startsWith('Starting session: command')).length,
      },
    ];
  });
  return Object.fromEntries(await Promise.all(counted));
}

/** The client's port of the shell that asks. */
const OWN_PORT = `set -- $SSH_CONNECTION; echo "$2"`;
