import type { RunEvent } from '../run/event.js';
import { eventToJson } from './json.js';
import type { Output, OutputOptions } from './output.js';

/** One event a line, for programs (`--json`). */
export class JsonOutput implements Output {
  readonly #redact: (text: string) => string;
  readonly #write: (line: string) => void;

  /** @param write gets one line, without its end */
  constructor(options: Pick<OutputOptions, 'redact'>, write: (line: string) => void) {
    this.#redact = options.redact;
    this.#write = write;
  }

  readonly emit = (event: RunEvent): void => {
    this.#write(this.#redact(JSON.stringify(eventToJson(event))));
  };

  note(text: string): void {
    this.#write(this.#redact(JSON.stringify({ type: 'note', text })));
  }

  hold(): () => void {
    return () => undefined;
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}
