import { duration } from './text.js';

interface Step {
  what: string;
  readonly began: number;
  timer: NodeJS.Timeout;
}

/** Says of a step that has been silent for long that it is still running: silence looks like an end. */
export class Still {
  readonly #interval: number;
  readonly #tell: (line: string) => void;
  readonly #steps = new Map<string, Step>();

  /** @param interval milliseconds of silence after which a host's step is told */
  constructor(interval: number, tell: (line: string) => void) {
    this.#interval = interval;
    this.#tell = tell;
  }

  /** A step begins on a host. */
  started(host: string, what: string): void {
    this.ended(host);
    this.#steps.set(host, { what, began: Date.now(), timer: this.#timer(host) });
  }

  /** The step has come to something else. */
  at(host: string, what: string): void {
    const step = this.#steps.get(host);
    if (step !== undefined) step.what = what;
  }

  /** There was a line of the host. */
  heard(host: string): void {
    this.#steps.get(host)?.timer.refresh();
  }

  /** The step is over. */
  ended(host: string): void {
    clearTimeout(this.#steps.get(host)?.timer);
    this.#steps.delete(host);
  }

  /** The run is over. */
  end(): void {
    for (const host of [...this.#steps.keys()]) this.ended(host);
  }

  #timer(host: string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      const step = this.#steps.get(host);
      if (step === undefined) return;
      this.#tell(`${host}: still at ${step.what} (${duration(Date.now() - step.began)})`);
      timer.refresh();
    }, this.#interval);
    // The run decides when the program ends, not its clock.
    timer.unref();
    return timer;
  }
}
