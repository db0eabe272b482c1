import { tell } from '../ui/terminal.js';
import { listenForInterrupt } from './interrupt.js';

/**
 * Does not let Ctrl-C leave work halfway: it goes on, unless it is pressed three times.
 * @param what is not left halfway, e.g. `a primary`
 */
export async function toTheEnd(work: Promise<void>, what: string): Promise<void> {
  const interrupt = listenForInterrupt(() =>
    tell(
      `this goes on, for ${what} is not left halfway; after three times Ctrl-C, the same command again brings it to its end`,
    ),
  );
  try {
    await work;
  } finally {
    interrupt.release();
  }
}
