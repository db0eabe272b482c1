import { Failure } from '../failure/failure.js';

/**
 * A failure with what the host's commands printed, and without our own lines around it (src/batch/).
 * @param nonce what these lines begin with
 */
export function withoutFrames(failure: Failure, nonce: string): Failure {
  const { output } = failure.details;
  if (output === undefined) return failure;
  const [frame, printed] = [`@${nonce}`, `@${nonce} out `];
  const shown = output.split('\n').flatMap((line) => {
    if (line.startsWith(printed)) return [line.slice(printed.length)];
    return line.startsWith(frame) ? [] : [line];
  });
  return new Failure({ ...failure.details, output: shown.join('\n') });
}
