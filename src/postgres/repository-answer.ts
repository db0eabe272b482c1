import { parseRuns } from './archive-holes.js';
import { parseHistory } from './recovery-history.js';
import type { Recoverable } from './recovery-plan.js';
import { PART } from './repository-files.js';
import { parseInfo } from './repository-info.js';

/** Reads what `repositoryQuestion` printed. @throws Error that says why the repository cannot be used */
export function parseRepository(answer: string): Recoverable {
  const [info = '', history = '', segments = '', ...timelines] = answer.split(`${PART}\n`);
  return {
    info: parseInfo(info),
    history: parseHistory(history),
    segments: parseRuns(segments),
    timelines: new Map(
      timelines.map((text) => {
        const end = text.indexOf('\n');
        return [Number.parseInt(text.slice(0, 8), 16), text.slice(end + 1)];
      }),
    ),
  };
}
