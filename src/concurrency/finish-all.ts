/**
 * Waits for all of them to end, also when one fails, so that nothing goes on behind the caller's back.
 * @returns their results, in order
 * @throws what the first of them in order threw
 */
export async function finishAll<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const ends = await Promise.allSettled(work);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
