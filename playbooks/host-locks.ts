import { hostname, userInfo } from 'node:os';
import { finishAll } from '../src/concurrency/finish-all.js';
import { kinds } from '../src/resource/index.js';
import { ApplyChannel } from '../src/run/apply-channel.js';
import { PACKAGE_VERSION } from '../src/template/package-files.js';
import type { Session } from '../src/transport/index.js';

/** The locks of hosts, which keep every other run of odoo-prov off them. */
export class HostLocks {
  readonly #held: ApplyChannel[] = [];

  /** Locks hosts, all of them or none. @throws Failure run-lock, naming the run that has one */
  async take(sessions: readonly Session[]): Promise<void> {
    const runner = {
      who: `${userInfo().username}@${hostname()}`,
      version: PACKAGE_VERSION,
      started: new Date().toISOString(),
    };
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
