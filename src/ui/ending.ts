import type { RunEvent, RunRecap } from '../run/event.js';
import { Notes } from './notes.js';
import type { OutputOptions } from './output.js';
import { Profile } from './profile.js';
import { recapLines } from './recap.js';

/** Collects during a run what the end of it shows: notes, recap, profile. */
export class Ending {
  readonly #notes = new Notes();
  readonly #profile = new Profile();
  readonly #options: OutputOptions;
  #cluster = '';
  #check = false;
  #begun = false;
  #failedChecks = 0;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** Takes note of an event. */
  add(event: RunEvent): void {
    if (event.type === 'run-started') {
      this.#cluster = event.cluster;
      this.#check = event.check;
    }
    if (event.type === 'resource-started') this.#begun = true;
    if (event.type === 'verify-checked' && !event.ok) this.#failedChecks += 1;
    this.#notes.add(event);
    this.#profile.add(event);
  }

  /** The last lines of the run. */
  lines(recap: RunRecap): readonly string[] {
    const { style, profile, width, prune } = this.#options;
    const about = {
      cluster: this.#cluster,
      check: this.#check,
      begun: this.#begun,
      failedChecks: this.#failedChecks,
    };
    return [
      ...this.#notes.lines(prune).map(style.dim),
      '',
      ...recapLines(recap, { ...about, style }),
      ...(profile ? this.#profile.lines(recap, width, style) : []),
    ];
  }
}
