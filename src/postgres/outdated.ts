/** What of a data directory tells who took writes last. */
export interface Held {
  readonly standby: boolean;
  /** The newest that it knows. */
  readonly timeline: number;
  /** The timeline that its data is on, where that is another one. */
  readonly dataTimeline?: number;
  /** A standby that cannot follow: its own timeline is not the newest that there is. */
  readonly pastFork?: boolean;
}

/**
 * Whether a standby shows that another one was promoted after this data's timeline began: then this is not the primary,
 * also where the one that is was not seen.
 */
export function isOutdated(data: Held, all: readonly Held[]): boolean {
  return all.some(
    ({ standby, timeline, dataTimeline = timeline, pastFork }) =>
      standby && Math.max(timeline, dataTimeline + (pastFork === true ? 1 : 0)) > data.timeline,
  );
}
