import { join } from 'node:path';
import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import { type Address, formatPlace, parseJumps, SSH_PORT } from './address.js';
import type { HostConfig, UserConfig } from './ssh-config.js';

/** Who runs the program, and where this person's SSH files are. */
export interface LocalUser {
  readonly name: string;
  readonly home: string;
  /** Path of the agent's socket, `SSH_AUTH_SOCK`. */
  readonly agent?: string;
}

/** Everything that is needed to connect to one SSH server, nothing left to look up. */
export interface Target {
  /** The host's name in the inventory, or `bastion NAME`. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The name that known_hosts keeps the host under, without the port. */
  readonly hostKeyAlias: string | undefined;
  /** Private keys to try, in this order. */
  readonly identityFiles: readonly string[];
  /** False when the files are OpenSSH's defaults, which need not exist. */
  readonly identitiesGiven: boolean;
  /** Of the agent's keys, offer only those that `identityFiles` name. */
  readonly identitiesOnly: boolean;
  readonly agent: string | undefined;
  /** Files of known host keys; new keys go into the first. */
  readonly knownHosts: readonly string[];
  readonly hostKey: 'strict' | 'accept-new';
  /** The bastion through which it is reached. */
  readonly via: Target | undefined;
}

/** What `ssh` tries where nothing is configured and ssh2 can sign with (ssh_config(5), IdentityFile). */
const DEFAULT_IDENTITIES = ['id_rsa', 'id_ecdsa', 'id_ed25519'];
const MAX_JUMPS = 8;

/**
 * Where and how a host is reached: the inventory first, then `~/.ssh/config` (looked up by the host's address),
 * then OpenSSH's defaults.
 * @throws Failure inventory, usage: a jump or ProxyCommand that cannot be followed
 */
export function resolveTarget(host: Host, config: UserConfig, local: LocalUser): Target {
  const { ssh } = host;
  const given: Address = {
    host: host.address,
    ...(ssh.user !== undefined && { user: ssh.user }),
    ...(ssh.port !== undefined && { port: ssh.port }),
  };
  const resolver = new Resolver(host, config, local);
  const jumps = ssh.jump === undefined ? undefined : resolver.jumps(ssh.jump, 'ssh.jump');
  return resolver.target(given, host.name, jumps, 0);
}

class Resolver {
  readonly #host: Host;
  readonly #config: UserConfig;
  readonly #local: LocalUser;

  constructor(host: Host, config: UserConfig, local: LocalUser) {
    this.#host = host;
    this.#config = config;
    this.#local = local;
  }

  /** @param jumps the bastions before it; undefined: as the configuration says */
  target(
    given: Address,
    label: string,
    jumps: readonly Address[] | undefined,
    depth: number,
  ): Target {
    if (depth > MAX_JUMPS)
      throw this.#failure(`more than ${MAX_JUMPS} bastions, or a loop of them`);
    const settings = this.#config.lookup(given.host, given.user);
    const user = given.user ?? one(settings, 'user') ?? this.#local.name;
    const host = (one(settings, 'hostname') ?? given.host).replaceAll('%h', given.host);
    const expand = (path: string): string => this.#expand(path, host, user);
    const bastions = jumps ?? this.#configuredJumps(settings);
    const last = bastions.at(-1);
    return {
      label,
      host,
      port: given.port ?? Number(one(settings, 'port') ?? SSH_PORT),
      user,
      hostKeyAlias: one(settings, 'hostkeyalias'),
      ...this.#identities(settings, expand),
      ...this.#trust(settings, expand),
      // The first bastion of a chain is reached as the configuration says, each further one through the one before.
      via:
        last &&
        this.target(
          last,
          `bastion ${formatPlace(last.host, last.port ?? SSH_PORT)}`,
          bastions.length > 1 ? bastions.slice(0, -1) : undefined,
          depth + 1,
        ),
    };
  }

  jumps(text: string, from: string): readonly Address[] {
    const jumps = parseJumps(text);
    if (jumps !== undefined) return jumps;
    throw this.#failure(`${from}: \`${text}\` is not [user@]host[:port]`);
  }

  #configuredJumps(settings: HostConfig): readonly Address[] {
    const jump = one(settings, 'proxyjump');
    if (jump !== undefined) return this.jumps(jump, 'ProxyJump in ~/.ssh/config');
    const command = one(settings, 'proxycommand');
    if (command === undefined || command.toLowerCase() === 'none') return [];
    throw this.#failure('~/.ssh/config gives a ProxyCommand, which odoo-prov does not run');
  }

  #identities(
    settings: HostConfig,
    expand: (path: string) => string,
  ): Pick<Target, 'identityFiles' | 'identitiesGiven' | 'identitiesOnly' | 'agent'> {
    const { key } = this.#host.ssh;
    const configured = many(settings, 'identityfile').filter((path) => path !== 'none');
    const given = [...new Set([...(key === undefined ? [] : [key]), ...configured].map(expand))];
    const defaults = DEFAULT_IDENTITIES.map((name) => join(this.#local.home, '.ssh', name));
    const agent = one(settings, 'identityagent') ?? 'SSH_AUTH_SOCK';
    return {
      identityFiles: given.length > 0 ? given : defaults,
      identitiesGiven: given.length > 0,
      identitiesOnly: one(settings, 'identitiesonly')?.toLowerCase() === 'yes',
      agent:
        agent === 'none'
          ? undefined
          : agent === 'SSH_AUTH_SOCK'
            ? this.#local.agent
            : expand(agent),
    };
  }

  #trust(
    settings: HostConfig,
    expand: (path: string) => string,
  ): Pick<Target, 'knownHosts' | 'hostKey'> {
    const { knownHosts, hostKey } = this.#host.ssh;
    if (knownHosts !== undefined) return { knownHosts: [expand(knownHosts)], hostKey };
    const configured = many(settings, 'userknownhostsfile').map(expand);
    const files = configured.length > 0 ? configured : [join(this.#local.home, '.ssh/known_hosts')];
    return { knownHosts: [...files, '/etc/ssh/ssh_known_hosts'], hostKey };
  }

  /** `~`, and the tokens of ssh_config(5) that make sense in a path. */
  #expand(path: string, host: string, user: string): string {
    const { home, name } = this.#local;
    const tokens: Record<string, string> = {
      '%d': home,
      '%h': host,
      '%r': user,
      '%u': name,
      '%%': '%',
    };
    const plain = path.replace(/%[dhru%]/g, (token) => tokens[token] ?? token);
    return plain === '~' ? home : plain.startsWith('~/') ? join(home, plain.slice(2)) : plain;
  }

  #failure(message: string): Failure {
    return new Failure({
      reason: 'inventory',
      host: this.#host.name,
      message,
      remedy:
        'give the bastion as `ssh: { jump: "[user@]host[:port]" }` in the inventory, or by ProxyJump',
    });
  }
}

function one(settings: HostConfig, keyword: string): string | undefined {
  const value = settings[keyword];
  return typeof value === 'string' ? value : value?.[0];
}

function many(settings: HostConfig, keyword: string): readonly string[] {
  const value = settings[keyword];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
