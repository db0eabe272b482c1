import { parseLsn } from './promotion.js';

/** The end of a timeline: writes went on along another one from there. */
export interface TimelineEnd {
  readonly timeline: number;
  /** Bytes of WAL since the cluster was made. */
  readonly lsn: bigint;
}

/**
 * Reads a timeline's `.history` file: a line for each timeline that it comes from, with the position where that
 * one was left (PostgreSQL's timeline.c: number, position, reason; `#` begins a comment).
 */
export function parseTimelineHistory(text: string): readonly TimelineEnd[] {
  return text
    .split('\n')
    .map((line) => /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line))
    .flatMap((found) =>
      found === null ? [] : [{ timeline: Number(found[1]), lsn: parseLsn(found[2] ?? '') }],
    );
}

/** Name of the WAL file of a timeline that holds a position. @param segmentSize bytes of one file */
export function walFileName(timeline: number, lsn: bigint, segmentSize: number): string {
  const segment = lsn / BigInt(segmentSize);
  const perId = 0x100000000n / BigInt(segmentSize);
  return [BigInt(timeline), segment / perId, segment % perId]
    .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}

/** Where a WAL file begins. @param segmentSize bytes of one file */
export function walFileStart(name: string, segmentSize: number): bigint {
  const part = (at: number): bigint => BigInt(`0x${name.slice(at, at + 8)}`);
  return (part(8) << 32n) + part(16) * BigInt(segmentSize);
}

/** `1A/2B3C`, as PostgreSQL's programs take a position. */
export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}

/** A position as sixteen hexadecimal digits, which sort as text. */
export function sortableLsn(lsn: bigint): string {
  return lsn.toString(16).toUpperCase().padStart(16, '0');
}
