import { Failure } from '../failure/failure.js';

/** What became of one attempt with the password. */
export type Attempt =
  | 'accepted'
  | 'refused'
  /** sudo did not ask, or it never came so far. */
  | 'not-tried';

/**
 * Guards sudo's password, so that a wrong one locks no account: a host is tried once, and until some host has
 * taken the password, only one host is tried at a time (many hosts may share one central account). When the
 * first host refuses it, it is tried nowhere else; later refusals concern only their own host.
 */
export class PasswordGate {
  readonly #refusedBy = new Set<string>();
  #accepted = false;
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param attempt runs the command, and tells as soon as it is known what became of the password
   * @throws Failure sudo-password: it was refused before and is not tried again
   */
  async run<T>(
    host: string,
    attempt: (tell: (outcome: Attempt) => void) => Promise<T>,
  ): Promise<T> {
    const told = this.#accepted ? undefined : await this.#takeTurn();
    try {
      this.#check(host);
      return await attempt((outcome) => {
        if (outcome === 'accepted') this.#accepted = true;
        if (outcome === 'refused') this.#refusedBy.add(host);
        told?.();
      });
    } finally {
      told?.();
    }
  }

  /** Waits for the host before; the function returned lets the next one on. */
  async #takeTurn(): Promise<() => void> {
    const before = this.#turn;
    let done: () => void = () => undefined;
    this.#turn = new Promise((resolve) => (done = resolve));
    await before;
    return done;
  }

  #check(host: string): void {
    const [first] = this.#refusedBy;
    if (this.#refusedBy.has(host) || (first !== undefined && !this.#accepted)) {
      throw new Failure({
        reason: 'sudo-password',
        host,
        message: `sudo's password was not tried again: ${this.#refusedBy.has(host) ? 'this host' : (first ?? '')} has refused it`,
        remedy: 'run again with the right password (--ask-become-pass)',
      });
    }
  }
}
