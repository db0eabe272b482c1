import { SSH_PORT } from './host-process.js';
import { labPaths } from './paths.js';
import { requireHost, requireStateSync } from './state.js';

/**
 * The command that logs in as root on a lab host; words can be added for a remote command.
 * @throws Failure lab when there is no such lab or host
 */
export function labSshCommand(lab: string, host: string): string[] {
  const { address } = requireHost(requireStateSync(lab), host);
  const paths = labPaths(lab);
  const options = [
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${paths.knownHosts}`,
    'StrictHostKeyChecking=yes',
    'LogLevel=ERROR',
  ];
  return [
    'ssh',
    '-F',
    'none',
    '-i',
    paths.key,
    '-p',
    String(SSH_PORT),
    ...options.flatMap((option) => ['-o', option]),
    `root@${address}`,
  ];
}
