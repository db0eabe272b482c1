import { Failure } from '../failure/failure.js';

const MOMENT =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(\.\d{1,6})?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * A moment as people write it; without a zone it is one of this machine.
 * @returns seconds since 1970, with fractions
 * @throws Failure usage
 */
export function parseMoment(text: string): number {
  const [matched, date = '', minutes = '', seconds = '00', fraction = '', zone = ''] =
    MOMENT.exec(text.trim()) ?? [];
  const offset = /^[+-]\d\d$/.test(zone)
    ? `${zone}:00`
    : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const at = Date.parse(`${date}T${minutes}:${seconds}${offset}`);
  // JavaScript reads 30 February as 2 March.
  const day = new Date(`${date}T00:00Z`);
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  if (matched === undefined || !isDay || Number.isNaN(at)) {
    throw new Failure({
      reason: 'usage',
      message: `${JSON.stringify(text)} is no moment`,
      expected: 'YYYY-MM-DD HH:MM[:SS[.ssssss]][+HH:MM or Z]',
      remedy: "e.g. --to-time '2026-11-22 13:05:00'",
    });
  }
  return at / 1000 + Number(`0${fraction || '.0'}`);
}
