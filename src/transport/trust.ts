import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import { describeKey, fingerprint, keyType, shortType } from './host-key.js';
import { SshConnector, localUser } from './connector.js';
import { inTurn, replaceKnownHost } from './known-hosts-file.js';
import type { ConnectOptions } from './session.js';
import type { LocalUser, Target } from './target.js';
import { judge, knownNames } from './trust-check.js';

/** One server's host key as it was presented, beside what is known. */
export interface HostKeyFinding {
  /** The hosts of the inventory that this key is for; several when it is their bastion. */
  readonly hosts: readonly string[];
  readonly isBastion: boolean;
  readonly address: string;
  readonly port: number;
  /** ED25519, ECDSA, RSA. */
  readonly type: string;
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** `refused`: revoked in known_hosts, never to be pinned. */
  readonly state: 'known' | 'new' | 'changed' | 'refused';
  /** With `changed` and `refused`: the keys that stand in known_hosts, with file and line. */
  readonly known: readonly string[];
  /** The file that it is, or would be, recorded in. */
  readonly file: string;
  /** As in known_hosts: `host` or `[host]:port`. */
  readonly name: string;
  readonly key: Buffer;
}

export interface HostKeyCollection {
  readonly findings: readonly HostKeyFinding[];
  /** Hosts behind a bastion that is not trusted yet: pin the bastion, then collect again. */
  readonly waiting: readonly string[];
  readonly failures: readonly Failure[];
}

/**
 * Asks hosts for their host keys without logging in to them (a bastion that is already known is logged in to).
 * Nothing is recorded.
 */
export async function collectHostKeys(
  hosts: readonly Host[],
  options: ConnectOptions,
  local: LocalUser = localUser(),
): Promise<HostKeyCollection> {
  const collector = new Collector(new SshConnector(local), options);
  return collector.collect(hosts);
}

/**
 * Records the keys that somebody has confirmed, each in place of other keys under its name.
 * @returns how many were not recorded before
 * @throws Failure host-key: one of them is refused, or known_hosts cannot be written
 */
export async function pinHostKeys(findings: readonly HostKeyFinding[]): Promise<number> {
  const refused = findings.find((finding) => finding.state === 'refused');
  if (refused !== undefined) {
    throw new Failure({
      reason: 'host-key',
      message: `the key of ${refused.name} is revoked and cannot be pinned`,
      found: `${refused.type} ${refused.fingerprint}; ${refused.known.join(', ')}`,
      remedy: 'make new host keys on the host, then run odoo-prov trust again',
    });
  }
  const wanted = findings.filter((finding) => finding.state !== 'known');
  for (const { file, name, key } of wanted) {
    await inTurn(file, () => replaceKnownHost(file, name, key));
  }
  return wanted.length;
}

class Collector {
  readonly #connector: SshConnector;
  readonly #options: ConnectOptions;
  readonly #seen = new Map<string, Promise<HostKeyFinding | Failure>>();

  constructor(connector: SshConnector, options: ConnectOptions) {
    this.#connector = connector;
    this.#options = options;
  }

  async collect(hosts: readonly Host[]): Promise<HostKeyCollection> {
    const findings = new Map<string, HostKeyFinding>();
    const waiting: string[] = [];
    const failures: Failure[] = [];
    try {
      await Promise.all(
        hosts.map(async (host) => {
          try {
            const target = await this.#connector.resolve(host);
            for (const step of chain(target)) {
              const finding = await this.#ask(step, host.name);
              if (finding instanceof Failure) throw asOf(host.name, finding);
              add(findings, finding, host.name);
              if (step !== target && finding.state !== 'known') {
                waiting.push(host.name);
                return;
              }
            }
          } catch (error) {
            if (!(error instanceof Failure)) throw error;
            failures.push(error);
          }
        }),
      );
    } finally {
      await this.#connector.close();
    }
    return { findings: [...findings.values()], waiting, failures };
  }

  /** Each server is asked once, however many hosts it is the bastion of. */
  #ask(target: Target, host: string): Promise<HostKeyFinding | Failure> {
    const key = JSON.stringify({ ...target, label: '' });
    const known =
      this.#seen.get(key) ??
      this.#present(target, host).catch((error: unknown) => {
        if (error instanceof Failure) return error;
        throw error;
      });
    this.#seen.set(key, known);
    return known;
  }

  async #present(target: Target, host: string): Promise<HostKeyFinding> {
    let presented: Buffer | undefined;
    const onlyKey = (key: Buffer): Promise<void> => {
      presented = key;
      // Seen is enough: nothing is sent to a host that nobody has confirmed.
      return Promise.reject(new Error('only the key was wanted'));
    };
    try {
      const link = await this.#connector.openTarget(
        { target, options: this.#options, onlyKey },
        host,
      );
      await link.close();
    } catch (error) {
      if (presented === undefined) throw error;
    }
    if (presented === undefined) throw new Error('a connection was made without a host key');
    return finding(target, presented);
  }
}

async function finding(target: Target, key: Buffer): Promise<HostKeyFinding> {
  const verdict = await judge(target, key);
  const known =
    verdict.state === 'changed' ? verdict.known : verdict.state === 'revoked' ? [verdict.at] : [];
  return {
    hosts: [],
    isBastion: target.label.startsWith('bastion '),
    address: target.host,
    port: target.port,
    type: shortType(keyType(key)),
    fingerprint: fingerprint(key),
    state: verdict.state === 'revoked' ? 'refused' : verdict.state,
    known: known.map((entry) => `${describeKey(entry.key)} (${entry.file}:${entry.line})`),
    file: known[0]?.file ?? target.knownHosts[0] ?? '',
    name: knownNames(target).name,
    key,
  };
}

/** The bastions of a target, outermost first, then the target. */
function chain(target: Target): readonly Target[] {
  return target.via === undefined ? [target] : [...chain(target.via), target];
}

function add(findings: Map<string, HostKeyFinding>, found: HostKeyFinding, host: string): void {
  const key = `${found.file} ${found.name}`;
  const earlier = findings.get(key);
  findings.set(key, { ...found, hosts: [...(earlier?.hosts ?? []), host] });
}

function asOf(host: string, failure: Failure): Failure {
  return new Failure({ ...failure.details, host });
}
