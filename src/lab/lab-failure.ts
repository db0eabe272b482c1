import { Failure } from '../failure/failure.js';
import type { FailureDetails } from '../failure/failure.js';

/** A failure of the lab itself: one short message, and always what to do next. */
export function labFailure(
  message: string,
  details: Omit<FailureDetails, 'reason' | 'message'>,
): Failure {
  return new Failure({ reason: 'lab', message, ...details });
}
