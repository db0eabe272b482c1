import type { Emit, RunEvent } from '../run/event.js';
import type { Style } from './style.js';

/** Where the events of a run become visible. */
export interface Output {
  readonly emit: Emit;
  /** A line that belongs to no event: a key was recorded, the run is being stopped. */
  note(text: string): void;
  /** Keeps the terminal free for a question until the returned function is called. */
  hold(): () => void;
  /** Resolves when everything is written. */
  finish(): Promise<void>;
}

/** What all three outputs are given. */
export interface OutputOptions {
  /** Show every change and file differences, however many. */
  readonly diff: boolean;
  readonly profile: boolean;
  /** Removed roles are stopped in this run: not worth a hint. */
  readonly prune: boolean;
  /** Columns of the terminal; 80 where there is none. */
  readonly width: number;
  readonly style: Style;
  /** Takes known secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** Refuses at compile time to forget a kind of event. */
export function unreachable(event: never): never {
  throw new Error(`unknown event ${(event as RunEvent).type}`);
}
