import { EXIT } from '../failure/failure.js';
import { hostsWith, type Cluster } from '../inventory/index.js';
import { openSecrets } from '../secrets/index.js';
import { print, stdoutStyle } from '../ui/terminal.js';
import { applyCluster } from './apply.js';
import { commandName } from './command-name.js';
import { labOf, type LabFlags } from './lab.js';
import { loadCluster, loadSoundCluster } from './load-inventory.js';

export interface RehearseFlags extends LabFlags {
  readonly plain?: true;
  readonly profile?: true;
}

/** `odoo-prov rehearse FILE`: the whole cluster as local hosts, from bare Debian to a login page. */
export async function rehearse(file: string, flags: RehearseFlags): Promise<void> {
  const { lab, inventory } = await labOf(loadSoundCluster(file, true), flags.debian);
  const cluster = loadCluster(inventory, true);
  const recap = await applyCluster(cluster, cluster.hosts, {
    concurrency: lab.hosts.length,
    verify: true,
    // These hosts are for trying out: nobody waits for their database.
    restartPrimary: true,
    ...flags,
  });
  process.exitCode = recap.exitCode;
  if (recap.exitCode === EXIT.done) print((await howToOpen(cluster, file)).join('\n'));
}

/** Where Odoo answers and how to get in. The password is shown: these hosts are for trying out. */
async function howToOpen(cluster: Cluster, file: string): Promise<readonly string[]> {
  const style = stdoutStyle();
  const address = hostsWith(cluster, 'edge')[0]?.address ?? '';
  const { domain } = cluster.odoo;
  const program = commandName();
  const password = (await openSecrets(cluster.file, { dryRun: true })).find('odoo-admin-password');
  return [
    '',
    style.strong(style.good(`Odoo answers at https://${address}/`)),
    `  by name    https://${domain}/, with this line in /etc/hosts:  ${address} ${domain}`,
    `  log in     admin, password ${password?.reveal() ?? '(none is recorded)'}`,
    `             again: ${program} secrets ${cluster.file} show odoo-admin-password`,
    '  warning    the certificate is self-signed: the browser asks once',
    `  inventory  ${cluster.file}: made for the lab, for apply, exec and lint`,
    `  look       ${program} lab ssh ${file} ${cluster.hosts[0]?.name ?? 'HOST'}`,
    `  remove     ${program} lab down ${file}`,
  ];
}
