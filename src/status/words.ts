const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes as PostgreSQL writes them, in powers of 1024: `512 B`, `16 MB`, `1.4 GB`. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** Seconds in their largest fitting unit: `0.4 s`, `12 s`, `5 min`, `3 h`, `4 d`. */
export function span(seconds: number): string {
  if (seconds < 9.95) return `${seconds < 0.05 ? '0' : seconds.toFixed(1)} s`;
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  if (seconds < 48 * 3600) return `${(seconds / 3600).toFixed(0)} h`;
  return `${(seconds / 86_400).toFixed(0)} d`;
}

/** A part of one as a whole percentage, never rounded up: `9 %` is below ten. */
export function percent(part: number): string {
  return `${String(Math.floor(part * 100))} %`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** `1 client waits`, `2 clients wait`: a count with its noun and verb. */
export function counted(count: number, noun: string, verb: string): string {
  return count === 1 ? `1 ${noun} ${verb}s` : `${String(count)} ${noun}s ${verb}`;
}
