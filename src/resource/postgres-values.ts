import type { Setting } from '../inventory/cluster.js';

/** Bytes of PostgreSQL's memory units. */
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};
/** Microseconds of its time units. */
const MICROSECONDS: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1e3,
  s: 1e6,
  min: 6e7,
  h: 3.6e9,
  d: 8.64e10,
};

/** A setting as text: the value without quotes. */
export function settingText(value: Setting): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** The lines of a postgresql.conf. */
export function settingsFile(settings: Readonly<Record<string, Setting>>): string {
  const rows = Object.entries(settings).map(([name, value]) => {
    if (!/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$/.test(name)) {
      throw new Error(`${name} is no name of a PostgreSQL setting`);
    }
    const text = settingText(value).replaceAll('\\', '\\\\').replaceAll("'", "''");
    return `${name} = '${text.replaceAll('\n', '\\n')}'\n`;
  });
  return `# Written by odoo-prov from the inventory (postgres.settings) and the host's size.\n${rows.join('')}`;
}

/** A row of pg_settings. */
export interface LiveSetting {
  readonly setting: string;
  /** e.g. `8kB`, `ms`; empty where it has none. */
  readonly unit: string;
  /** bool, integer, real, enum or string. */
  readonly type: string;
}

/** Whether a wanted text means what the server has: `2GB` is 262144 pages of 8kB, `yes` is on. */
export function meansTheSame(wanted: string, live: LiveSetting): boolean {
  if (wanted === live.setting) return true;
  if (live.type === 'bool' || live.type === 'enum') {
    return word(wanted) === word(live.setting);
  }
  if (live.type !== 'integer' && live.type !== 'real') return false;
  const number = inUnit(wanted, live.unit);
  if (number === undefined) return false;
  const have = Number(live.setting);
  return live.type === 'integer' ? Math.round(number) === have : Math.abs(number - have) < 1e-9;
}

function word(text: string): string {
  const lower = text.toLowerCase();
  if (['on', 'true', 'yes', '1'].includes(lower)) return 'on';
  if (['off', 'false', 'no', '0'].includes(lower)) return 'off';
  return lower;
}

function inUnit(text: string, unit: string): number | undefined {
  const match = /^\s*(-?[\d.]+)\s*([a-zA-Z]*)\s*$/.exec(text);
  if (match === null) return undefined;
  const [, digits, given = ''] = match;
  const number = Number(digits);
  // -1 and 0 are words (off, unlimited) in whatever unit they come.
  if (given === '' || number <= 0) return number;
  const base = /^(\d*)([a-zA-Z]+)$/.exec(unit);
  const table = given in BYTES ? BYTES : MICROSECONDS;
  const factor = table[given];
  const step = table[base?.[2] ?? ''];
  if (factor === undefined || step === undefined) return undefined;
  return (number * factor) / (step * Number(base?.[1] === '' ? 1 : base?.[1]));
}
