import { EXIT, exitCodeOf, Failure } from '../failure/failure.js';
import type { Host } from '../inventory/index.js';
import { selectHosts } from '../run/select.js';
import { Semaphore } from '../concurrency/semaphore.js';
import { openSecrets, redactor } from '../secrets/index.js';
import { quote, raw } from '../shell/index.js';
import { createConnector, type Connector, type ConnectOptions } from '../transport/index.js';
import { print, tell, tellFailure } from '../ui/terminal.js';
import { printable } from '../ui/text.js';
import type { HostFlags } from './apply.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { listenForInterrupt } from './interrupt.js';
import { loadCluster } from './load-inventory.js';
import { passphraseAsker } from './passphrase.js';

export interface ExecFlags extends HostFlags, BecomeFlags {
  readonly concurrency: number;
  readonly timeout: number;
}

/** `odoo-prov exec FILE --limit … -- COMMAND`: every line of output says its host. */
export async function exec(
  file: string,
  words: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  const cluster = loadCluster(file);
  if (flags.limit === undefined && flags.role === undefined) throw noHostsChosen();
  const hosts = selectHosts(cluster, flags.limit ?? [], flags.role ?? []);
  const password = await becomePassword(flags);
  const secrets = await openSecrets(cluster.file, { dryRun: true });
  const interrupt = listenForInterrupt(tell);
  const askPassphrase = passphraseAsker(() => () => undefined);
  const connector = createConnector();
  const room = new Semaphore(flags.concurrency);
  const signal = AbortSignal.any([interrupt.stop, interrupt.abort]);
  const job: Job = {
    // One word is shell text, as after `ssh host`; several are one command, kept as they were typed.
    command: words.length === 1 ? (words[0] ?? '') : words.map(quote).join(' '),
    limit: flags.timeout,
    connector,
    redact: redactor(secrets),
    width: Math.max(...hosts.map((host) => host.name.length)),
    connect: {
      signal,
      ...(password === undefined ? {} : { becomePassword: password }),
      ...(askPassphrase === undefined ? {} : { askPassphrase }),
    },
  };
  try {
    const codes = await Promise.all(hosts.map((host) => room.hold(() => runOn(host, job))));
    const gravest = [EXIT.interrupted, EXIT.refused, EXIT.failed, EXIT.unreachable];
    process.exitCode = gravest.find((code) => codes.includes(code)) ?? EXIT.done;
  } finally {
    interrupt.release();
    await connector.close();
  }
}

interface Job {
  readonly command: string;
  /** Seconds. */
  readonly limit: number;
  readonly connector: Connector;
  readonly connect: ConnectOptions;
  readonly redact: (text: string) => string;
  readonly width: number;
}

/** Runs the command on one host; gives the exit code that this host stands for. */
async function runOn(host: Host, job: Job): Promise<number> {
  const show = (line: string): string =>
    `${host.name.padEnd(job.width)}  ${printable(job.redact(line))}`;
  try {
    const session = await job.connector.connect(host, job.connect);
    const { code, stderr } = await session
      .run(raw(job.command), {
        limit: job.limit,
        onLine: (line) => print(show(line)),
        ...(job.connect.signal === undefined ? {} : { signal: job.connect.signal }),
      })
      .finally(() => session.close());
    for (const line of stderr.trimEnd().split('\n')) if (line !== '') tell(show(line));
    if (code === 0) return EXIT.done;
    tell(show(`exit code ${String(code)}`));
    return EXIT.failed;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    tellFailure(error);
    return exitCodeOf(error.reason);
  }
}

function noHostsChosen(): Failure {
  return new Failure({
    reason: 'usage',
    message: 'exec wants to be told on which hosts',
    expected: '--limit or --role',
    remedy: "choose some, or all of them knowingly with --limit '*'",
  });
}
