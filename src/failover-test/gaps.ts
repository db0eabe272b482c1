/** A write or a request of a client, as far as its time goes. */
export interface Attempt {
  readonly client: number;
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** Milliseconds since the scenario began. */
  readonly ended: number;
}

/** A time without a success. Milliseconds, on the scenario's clock. */
export interface Pause {
  readonly from: number;
  readonly length: number;
}

/** From when on nobody's success is drawn as a standstill: the chart has a bar a second. */
const PAUSE_MILLISECONDS = 1000;

/** How long writes, or requests, stood still. Milliseconds. */
export interface Gaps {
  /** The longest time in which no client at all was told of a success. */
  readonly all: number;
  /** When that time began, on the scenario's clock. */
  readonly allFrom: number;
  /** Each such time of {@link PAUSE_MILLISECONDS} or more, in their order. */
  readonly pauses: readonly Pause[];
  /** Of each client's longest time without a success: the median, and the most. */
  readonly p50: number;
  readonly max: number;
  /** Clients that were told of no success for {@link Span.silence} when it ended. */
  readonly silent: readonly number[];
  /**
   * Until every client could write again: where a recovery is expected from the fault on, the longest time of a
   * client (a write that still came through after the fault was ordered is no recovery); where it is expected
   * when the host is back, from then until the last client was told of its first success.
   */
  readonly recovery: number;
}

/** A client that writes ten times a second and is not away has had an answer within this time. */
export const SILENT_MILLISECONDS = 2000;

/** The part of a scenario that is looked at, in milliseconds on its clock. */
export interface Span {
  /** When the fault began: what stood still before does not count. */
  readonly faultAt: number;
  /** From when on a recovery may be expected: the fault itself, or its end. */
  readonly recoverFrom: number;
  readonly endedAt: number;
  /** Milliseconds in which each client must have had a success at the end; {@link SILENT_MILLISECONDS} if not given. */
  readonly silence?: number;
}

/** Measures how long writes stood still from the fault on. @param clients their numbers */
export function gapsOf(writes: readonly Attempt[], clients: readonly number[], span: Span): Gaps {
  const times = (client?: number): readonly number[] =>
    writes
      .filter((write) => write.outcome === 'acknowledged')
      .filter((write) => client === undefined || write.client === client)
      .map(({ ended }) => ended)
      .sort((a, b) => a - b);
  const pauses = pausesOf(times(), span);
  const all = longest(pauses, span);
  const perClient = clients.map((client) => longest(pausesOf(times(client), span), span).length);
  const silent = clients.filter(
    (client) =>
      (times(client).findLast((at) => at <= span.endedAt) ?? 0) <
      span.endedAt - (span.silence ?? SILENT_MILLISECONDS),
  );
  const max = Math.max(0, ...perClient);
  const back = clients.map(
    (client) =>
      (times(client).find((at) => at >= span.recoverFrom) ?? span.endedAt) - span.recoverFrom,
  );
  return {
    all: all.length,
    allFrom: all.from,
    pauses: pauses.filter(({ length }) => length >= PAUSE_MILLISECONDS),
    p50: median(perClient),
    max,
    silent,
    recovery: span.recoverFrom === span.faultAt ? max : Math.max(0, ...back),
  };
}

/** The times between two neighbours that reach beyond the fault's begin; the end counts as one. */
function pausesOf(times: readonly number[], { faultAt, endedAt }: Span): readonly Pause[] {
  const ends = [...times.filter((time) => time <= endedAt), endedAt];
  return ends
    .map((at, index) => ({ from: ends[index - 1] ?? 0, at }))
    .filter(({ at }) => at > faultAt)
    .map(({ from, at }) => ({ from, length: at - from }));
}

/** The first of the longest. */
function longest(pauses: readonly Pause[], { faultAt }: Span): Pause {
  return pauses.reduce((best, pause) => (pause.length > best.length ? pause : best), {
    from: faultAt,
    length: 0,
  });
}

/** The middle value, of an even number the lower of the two; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** Writes of one second. */
export interface Second {
  readonly saved: number;
  readonly failed: number;
}

/** Writes by the second in which their answer came, from the first second to the last. */
export function perSecond(writes: readonly Attempt[], endedAt: number): readonly Second[] {
  const seconds = Array.from({ length: Math.ceil(endedAt / 1000) }, () => ({
    saved: 0,
    failed: 0,
  }));
  for (const { ended, outcome } of writes) {
    const second = seconds[Math.min(Math.floor(ended / 1000), seconds.length - 1)];
    if (second === undefined) continue;
    if (outcome === 'acknowledged') second.saved += 1;
    else second.failed += 1;
  }
  return seconds;
}
