import { EXIT } from '../failure/failure.js';
import type { Cluster, Host } from '../inventory/index.js';
import type { RunRecap } from '../run/event.js';
import { rolesOf, selectHosts } from '../run/select.js';
import { openSecrets, redactor } from '../secrets/index.js';
import { createOutput } from '../ui/create-output.js';
import { print } from '../ui/terminal.js';
import { table } from '../ui/text.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { listenForInterrupt } from './interrupt.js';
import { loadSoundCluster } from './load-inventory.js';
import { MistakesError } from './mistakes-error.js';
import { passphraseAsker } from './passphrase.js';

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

/** `odoo-prov apply FILE`. */
export async function apply(file: string, flags: ApplyFlags): Promise<void> {
  const cluster = flags.json === true ? loadForPrograms(file) : loadSoundCluster(file);
  if (cluster === undefined) return;
  const hosts = selectHosts(cluster, flags.limit ?? [], flags.role ?? []);
  if (flags.listHosts === true) {
    print(hostLines(hosts, cluster).join('\n'));
    return;
  }
  const recap = await applyCluster(cluster, hosts, flags);
  process.exitCode = exitCode(recap, flags.detailedExitcode === true);
}

/** With `--json` mistakes are records too. @returns undefined when there are some; they are printed */
function loadForPrograms(file: string): Cluster | undefined {
  try {
    return loadSoundCluster(file, true);
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    for (const record of error.records) print(JSON.stringify(record));
    process.exitCode = EXIT.usage;
    return undefined;
  }
}

/** The run itself with its output and Ctrl-C, for `apply` and `rehearse`. */
export async function applyCluster(
  cluster: Cluster,
  hosts: readonly Host[],
  flags: ApplyFlags,
): Promise<RunRecap> {
  const check = flags.check === true;
  const password = await becomePassword(flags);
  const secrets = await openSecrets(cluster.file, { dryRun: check });
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
  const interrupt = listenForInterrupt((text) => output.note(text));
  const askPassphrase = passphraseAsker(() => output.hold());
  try {
    // Loaded last: a mistake in the inventory is told without the SSH library.
    const site = await import('../../playbooks/site.js');
    return await site.apply(
      cluster,
      {
        check,
        diff: flags.diff === true,
        prune: flags.prune === true,
        restartPrimary: flags.restartPrimary === true,
        concurrency: flags.concurrency,
        hosts,
        secrets,
        stop: interrupt.stop,
        verify: flags.verify === true ? 'always' : 'after-change',
        connect: {
          signal: interrupt.abort,
          onNewHostKey: (host, fingerprint) =>
            output.note(`${host}: its new host key ${fingerprint} was recorded`),
          ...(password === undefined ? {} : { becomePassword: password }),
          ...(askPassphrase === undefined ? {} : { askPassphrase }),
        },
      },
      output.emit,
    );
  } finally {
    interrupt.release();
    await output.finish();
  }
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
