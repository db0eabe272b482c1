/** How far a long step is, as scripts print it: `progress 43% Unpacking odoo`. */
export interface Progress {
  /** 0 to 100. */
  readonly percent: number;
  readonly what: string;
}

/** Reads a line of a resource's output; undefined when it is about something else. */
export function parseProgress(line: string): Progress | undefined {
  const match = /^progress (\d{1,3})(?:\.\d+)?% ?(.*)$/.exec(line.trim());
  if (match === null) return undefined;
  return { percent: Math.min(Number(match[1]), 100), what: match[2] ?? '' };
}

/** Whether a line of a resource's output says what a health check waits for, as `check` prints it. */
export function isWaiting(line: string): boolean {
  return line.startsWith('waiting: ');
}
