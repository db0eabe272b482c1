import { finishAll } from '../src/concurrency/finish-all.js';
import { kinds } from '../src/resource/index.js';
import { ApplyChannel } from '../src/run/apply-channel.js';
import type { Session } from '../src/transport/index.js';
import { thisRun } from './this-run.js';

/** The locks of hosts, which keep every other run of odoo-prov off them. */
export class HostLocks {
  readonly #held: ApplyChannel[] = [];
  readonly #failoverTest: string | undefined;

  /** @param failoverTest the id of the failover-test that they are for: its own lock does not keep it off */
  constructor(failoverTest?: string) {
    this.#failoverTest = failoverTest;
  }

  /** Locks hosts, all of them or none. @throws Failure run-lock, naming the run or the failover-test that has one */
  async take(sessions: readonly Session[]): Promise<void> {
    const runner = thisRun(this.#failoverTest);
    try {
      await finishAll(
        sessions.map(async (session) => {
          const channel = new ApplyChannel(session, runner, kinds, () => undefined);
          await channel.open();
          this.#held.push(channel);
        }),
      );
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  /** Lets other runs on all of them again. */
  async release(): Promise<void> {
    await Promise.all(this.#held.splice(0).map((channel) => channel.close()));
  }
}
