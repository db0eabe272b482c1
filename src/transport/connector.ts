import { homedir, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { Secret } from '../shell/index.js';
import { formatPlace } from './address.js';
import { connectFailure, Dropped } from './connect-failure.js';
import { fingerprint } from './host-key.js';
import { IdentityStore } from './identities.js';
import { gatherKeys, KeyRing } from './key-ring.js';
import { type Link, openLink } from './link.js';
import { PasswordGate } from './password-gate.js';
import { Semaphore } from '../concurrency/semaphore.js';
import type { ConnectOptions, Connector, ForwardingSession } from './session.js';
import { readUserConfig, type UserConfig } from './ssh-config.js';
import { type Become, SshSession } from './ssh-session.js';
import { type LocalUser, resolveTarget, type Target } from './target.js';
import { acceptHostKey, knownKeyTypes } from './trust-check.js';

/** Handshakes at once: with one server or through one bastion (sshd drops from 10 on, MaxStartups), and in all. */
const HANDSHAKES_PER_SERVER = 8;
const HANDSHAKES = 32;
const CONNECT_SECONDS = 15;
/** How long to wait before a server that dropped us is tried again; doubled each time, plus up to as much. */
const FIRST_PAUSE_MILLISECONDS = 250;
const TRIES = 6;
/** How long a bastion that failed is not tried again, so that fifty hosts behind it fail as fast as one. */
const BASTION_FAILURE_MILLISECONDS = 10_000;

/** The person who runs the program, as the operating system knows them. */
export function localUser(): LocalUser {
  const agent = process.env['SSH_AUTH_SOCK'];
  const home = homedir();
  const { username } = userInfo();
  return { name: username, home, ...(agent !== undefined && agent !== '' && { agent }) };
}

/**
 * Makes connections for one run: shares one connection per bastion, reads each key file and asks each
 * passphrase once, and tries sudo's password with care.
 */
export function createConnector(local: LocalUser = localUser()): Connector {
  return new SshConnector(local);
}

interface LinkRequest {
  readonly target: Target;
  readonly options: ConnectOptions;
  /** Gets the host key and refuses by throwing, in place of known_hosts; no key of ours is offered then. */
  readonly onlyKey?: (key: Buffer) => Promise<void>;
}

export class SshConnector implements Connector {
  readonly #local: LocalUser;
  readonly #identities = new IdentityStore();
  readonly #handshakes = new Semaphore(HANDSHAKES);
  readonly #perServer = new Map<string, Semaphore>();
  readonly #bastions = new Map<string, Promise<Link>>();
  readonly #gates = new Map<string, PasswordGate>();
  #config: Promise<UserConfig> | undefined;

  constructor(local: LocalUser) {
    this.#local = local;
  }

  async connect(host: Host, options: ConnectOptions): Promise<ForwardingSession> {
    const target = await this.resolve(host);
    const link = await this.openTarget({ target, options }, host.name);
    return new SshSession(host, link, this.#become(host, target, options.becomePassword));
  }

  async close(): Promise<void> {
    const bastions = [...this.#bastions.values()];
    this.#bastions.clear();
    await Promise.all(
      bastions.map((bastion) =>
        bastion.then(
          (link) => link.close(),
          () => undefined,
        ),
      ),
    );
  }

  /** Where and how a host is reached. */
  async resolve(host: Host): Promise<Target> {
    this.#config ??= readUserConfig(this.#local.home);
    return resolveTarget(host, await this.#config, this.#local);
  }

  /**
   * Connects to a target, through its bastions.
   * @param host the inventory's name of the host that all this is for
   */
  async openTarget(request: LinkRequest, host: string): Promise<Link> {
    const { via } = request.target;
    const bastion = via === undefined ? undefined : await this.bastion(via, request.options, host);
    return this.#inSlot(request.target, () => this.#tryUntilTaken(request, bastion));
  }

  /** The one connection to a bastion. @throws Failure in the name of the host behind it */
  async bastion(target: Target, options: ConnectOptions, host: string): Promise<Link> {
    const key = JSON.stringify(target);
    let bastion = this.#bastions.get(key);
    if (bastion === undefined) {
      const forget = (): void => {
        if (this.#bastions.get(key) === bastion) this.#bastions.delete(key);
      };
      bastion = this.openTarget({ target, options }, host);
      this.#bastions.set(key, bastion);
      bastion.then(
        (link) => link.onLost(forget),
        () => setTimeout(forget, BASTION_FAILURE_MILLISECONDS).unref(),
      );
    }
    try {
      return await bastion;
    } catch (error) {
      throw inNameOf(host, target, error);
    }
  }

  async #inSlot<T>(target: Target, work: () => Promise<T>): Promise<T> {
    const { via } = target;
    const servers = [`${target.host}:${target.port}`];
    if (via !== undefined) servers.unshift(`through ${via.user}@${via.host}:${via.port}`);
    // Always in the same order (bastion, server, all), so that nobody waits for each other in a circle.
    const slots = [...servers.map((name) => this.#slotsOf(name)), this.#handshakes];
    return slots.reduceRight((inner: () => Promise<T>, slot) => () => slot.hold(inner), work)();
  }

  #slotsOf(server: string): Semaphore {
    const slots = this.#perServer.get(server) ?? new Semaphore(HANDSHAKES_PER_SERVER);
    this.#perServer.set(server, slots);
    return slots;
  }

  async #tryUntilTaken(request: LinkRequest, via: Link | undefined): Promise<Link> {
    const { target, options } = request;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#open(request, via);
      } catch (error) {
        if (!(error instanceof Dropped)) throw error;
        if (tries === TRIES) throw connectFailure(target, error, error.message);
        const pause = FIRST_PAUSE_MILLISECONDS * 2 ** (tries - 1) * (1 + Math.random());
        // An abort here is reported by the next attempt.
        await sleep(pause, undefined, options.signal && { signal: options.signal }).catch(
          () => undefined,
        );
      }
    }
  }

  async #open({ target, options, onlyKey }: LinkRequest, via: Link | undefined): Promise<Link> {
    const { askPassphrase, onNewHostKey } = options;
    return openLink(target, {
      ring: async (onAsk) =>
        onlyKey === undefined
          ? gatherKeys(target, this.#identities, { askPassphrase, onAsk })
          : new KeyRing([], []),
      verify:
        onlyKey ??
        ((key) => acceptHostKey(target, key, () => onNewHostKey?.(target.label, fingerprint(key)))),
      knownTypes: await knownKeyTypes(target),
      via,
      seconds: options.limit ?? CONNECT_SECONDS,
      signal: options.signal,
    });
  }

  #become(host: Host, target: Target, password: Secret | undefined): Become {
    const { user } = target;
    if (!host.ssh.become || user === 'root') return { user, elevation: 'none' };
    if (password === undefined) return { user, elevation: 'sudo' };
    const value = password.reveal();
    const gate = this.#gates.get(value) ?? new PasswordGate();
    this.#gates.set(value, gate);
    return { user, elevation: 'sudo-password', password: { secret: password, gate } };
  }
}

/** A bastion's failure, told as what it is for the host behind it. */
function inNameOf(host: string, bastion: Target, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const { message } = error.details;
  const already = message.startsWith('bastion ');
  return new Failure({
    ...error.details,
    host,
    message: already ? message : `bastion ${formatPlace(bastion.host, bastion.port)}: ${message}`,
  });
}
