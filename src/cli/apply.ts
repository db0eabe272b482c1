import { EXIT } from '../failure/failure.js';
import type { Cluster, Host } from '../inventory/index.js';
import type { RunRecap } from '../run/event.js';
import { rolesOf, selectHosts } from '../run/select.js';
import type { RoleDefinition } from '../role/role.js';
import { openSecrets, RECOVERY_RECIPIENT, redactor, type SecretStore } from '../secrets/index.js';
import { quote, type Secret } from '../shell/index.js';
import { createOutput } from '../ui/create-output.js';
import { nameInventory, nameInventoryIn } from '../ui/named-inventory.js';
import { print, tell } from '../ui/terminal.js';
import { table } from '../ui/text.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { holdsNoSecrets, needGivenSecrets } from './given-secrets.js';
import { listenForInterrupt } from './interrupt.js';
import { loadSoundCluster } from './load-inventory.js';
import { passphraseAsker } from './passphrase.js';
import { showRecoveryKey } from './recovery-key.js';

export interface HostFlags {
  readonly limit?: readonly string[];
  readonly role?: readonly string[];
}

export interface ApplyFlags extends HostFlags, BecomeFlags {
  readonly check?: true;
  readonly diff?: true;
  readonly concurrency: number;
  readonly prune?: true;
  readonly restartPrimary?: true;
  readonly verify?: true;
  readonly detailedExitcode?: true;
  readonly listHosts?: true;
  readonly profile?: true;
  readonly json?: true;
  readonly plain?: true;
}

/** What `apply` asks of its own run. */
interface RunFlags extends ApplyFlags {
  /** Says so where there is no recovery key: not in the middle of something else, such as a failover. */
  readonly remindOfKey?: true;
}

/** `odoo-prov apply FILE`. */
export async function apply(file: string, flags: ApplyFlags): Promise<void> {
  const cluster = loadSoundCluster(file, flags.json === true);
  const hosts = selectHosts(cluster, flags.limit ?? [], flags.role ?? []);
  if (flags.listHosts === true) {
    print(hostLines(hosts, cluster).join('\n'));
    return;
  }
  const recap = await applyCluster(cluster, hosts, { ...flags, remindOfKey: true });
  process.exitCode = exitCode(recap, flags.detailedExitcode === true);
}

/**
 * The run itself with its output and Ctrl-C, for `apply`, `rehearse` and procedures.
 * @param roles other roles than all, and no look whether the cluster serves: it cannot yet
 */
export async function applyCluster(
  cluster: Cluster,
  hosts: readonly Host[],
  flags: RunFlags,
  roles?: readonly RoleDefinition[],
): Promise<RunRecap> {
  const check = flags.check === true;
  const password = await becomePassword(flags);
  const secrets = await openSecrets(cluster.file, { dryRun: check });
  needGivenSecrets(cluster, secrets, cluster.file);
  const known = (): ReturnType<typeof secrets.values> =>
    password === undefined ? secrets.values() : [...secrets.values(), password];
  const output = await createOutput({
    json: flags.json === true,
    plain: flags.plain === true,
    diff: flags.diff === true,
    profile: flags.profile === true,
    prune: flags.prune === true,
    redact: redactor({ values: known }),
  });
  const shown: Secret[] = [];
  const interrupt = listenForInterrupt((text) => output.note(text));
  const askPassphrase = passphraseAsker(() => output.hold());
  let recap: RunRecap;
  try {
    // Loaded last: a mistake in the inventory is told without the SSH library.
    const site = await import('../../playbooks/site.js');
    recap = await site.apply(
      cluster,
      {
        check,
        diff: flags.diff === true,
        prune: flags.prune === true,
        restartPrimary: flags.restartPrimary === true,
        concurrency: flags.concurrency,
        hosts,
        secrets,
        secretsAreNew: holdsNoSecrets(secrets),
        stop: interrupt.stop,
        verify: flags.verify === true ? 'always' : roles === undefined ? 'after-change' : 'never',
        ...(roles === undefined ? {} : { roles }),
        ...(mayShowKey(flags) ? { showKey: (key) => shown.push(key) } : {}),
        connect: {
          signal: interrupt.abort,
          onNewHostKey: (host, fingerprint) =>
            output.note(`${host}: its new host key ${fingerprint} was recorded`),
          ...(password === undefined ? {} : { becomePassword: password }),
          ...(askPassphrase === undefined ? {} : { askPassphrase }),
        },
      },
      (event) => output.emit(nameInventoryIn(event, cluster.file)),
    );
  } finally {
    interrupt.release();
    await output.finish();
    // After the list, which would be drawn over it.
    shown.forEach(showRecoveryKey);
  }
  if (recap.primaryAway !== undefined) {
    tell(nameInventory(primaryAwayText(recap.primaryAway), cluster.file));
  }
  const remind = flags.remindOfKey === true && !check && recap.exitCode === EXIT.done;
  if (remind && lacksRecoveryKey(cluster, secrets)) {
    tell('Nobody could bring this cluster back from its backups alone: make a recovery key');
    tell(`  odoo-prov secrets ${quote(cluster.file)} recovery-key`);
  }
  return recap;
}

/** What `status` says at length. @param host who was primary last */
export function primaryAwayText(host: string): string {
  return `no database host that answered takes writes, and ${host}, the primary, cannot be reached: odoo-prov status FILE shows the state; if ${host} is lost, odoo-prov failover FILE promotes a standby (--dry-run shows how)`;
}

/** Only to a person: what is not a terminal may be a log. */
function mayShowKey(flags: ApplyFlags): boolean {
  return flags.json !== true && (process.stdout.isTTY as boolean | undefined) === true;
}

function lacksRecoveryKey(cluster: Cluster, secrets: SecretStore): boolean {
  return cluster.postgres.backup !== undefined && secrets.find(RECOVERY_RECIPIENT) === undefined;
}

function exitCode(recap: RunRecap, detailed: boolean): number {
  return detailed && recap.exitCode === EXIT.done && recap.changed > 0
    ? EXIT.changes
    : recap.exitCode;
}

function hostLines(hosts: readonly Host[], cluster: Cluster): readonly string[] {
  return table(
    hosts.map((host) => [host.name, host.address, rolesOf(host, cluster).join(' ')]),
    [],
  );
}
