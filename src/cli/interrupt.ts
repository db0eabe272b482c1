import { setMaxListeners } from 'node:events';
import { EXIT } from '../failure/failure.js';

/** What Ctrl-C means to a run. */
export interface Interrupt {
  /** Set at the first Ctrl-C: nothing new is begun. */
  readonly stop: AbortSignal;
  /** Set at the second: running commands are given up. */
  readonly abort: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/**
 * Listens for Ctrl-C and SIGTERM: the first ends the run after the step that is running, the second at once,
 * a third ends the program itself.
 * @param tell shows a line to the person
 */
export function listenForInterrupt(tell: (text: string) => void): Interrupt {
  const stop = new AbortController();
  const abort = new AbortController();
  // Every host listens; Node takes more than ten listeners for a leak and says so in the middle of the output.
  setMaxListeners(0, stop.signal, abort.signal);
  const interrupt = (): void => {
    if (!stop.signal.aborted) {
      tell('stopping when the running step is done; once more stops at once');
      stop.abort();
    } else if (!abort.signal.aborted) {
      tell('stopping at once; the next run completes what is half done');
      abort.abort();
    } else {
      process.exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return {
    stop: stop.signal,
    abort: abort.signal,
    release: () => process.off('SIGINT', interrupt).off('SIGTERM', interrupt),
  };
}
