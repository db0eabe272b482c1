import { lines, sh } from '../shell/index.js';
import type { Kind, Observed, State } from './kind.js';
import { alteredOf, probeAutoFile } from './postgres-auto-file.js';
import {
  HOT_STANDBY_NAMES,
  needsIn,
  probeNeeds,
  replayState,
  wantedOf,
} from './postgres-hot-standby.js';
import { OVERRIDES } from './postgres-overrides.js';
import { restartOf, restartState } from './postgres-restart.js';
import { applySettings } from './postgres-settings-apply.js';
import {
  ALONE_FILE,
  AUTO_FILE,
  confOf,
  contentOf,
  includePattern,
  namesOf,
  PENDING,
  SETTINGS_FILE,
  SETTINGS_MODE,
  wantedState,
  type PostgresSettings,
} from './postgres-settings-resource.js';
import { parseSql, probeSql, type SqlAnswer } from './postgres-sql.js';
import { meansTheSame, settingText } from './postgres-values.js';

/** Our own words for the file, so that a difference reads well. */
type FileState = 'as wanted' | 'other content' | 'absent';

function fileState(
  resource: PostgresSettings,
  output: string,
): { file: FileState; mode: string; content: string; conf_d: string } {
  const all = output.split('\n');
  const line = all.find((l) => l.startsWith(`file ${resource.id} `));
  const conf_d = all.includes(`include ${resource.id}`) ? 'read' : 'not read by postgresql.conf';
  const [, , hash, owner = '', mode = ''] = line?.split(' ') ?? [];
  if (hash === undefined || hash === '') {
    return { file: 'absent', mode: SETTINGS_MODE, content: 'absent', conf_d };
  }
  const file = hash === contentOf(resource.settings) ? 'as wanted' : 'other content';
  return { file, mode: `${owner} ${mode}`, content: hash, conf_d };
}

/**
 * What our file says otherwise than wanted and the server's own values do not show: settings that are not wanted, and what
 * was written since the server read it.
 */
function inFile(
  { settings }: PostgresSettings,
  { rows }: SqlAnswer & { server: 'up' },
  live: State,
): string {
  const all = rows.flatMap(([kind, name = '', text = '', read]) =>
    kind === 'f' ? [{ name: name.toLowerCase(), text, unread: read === 'f' }] : [],
  );
  const found = new Map(all.map(({ name, text }) => [name, text]));
  const wanted = Object.entries(settings).map(
    ([name, value]) => [name, settingText(value)] as const,
  );
  const names = new Set(wanted.map(([name]) => name.toLowerCase()));
  const hidden = all.some(({ unread }) => unread)
    ? wanted.filter(([name, text]) => live[name] === text && found.get(name.toLowerCase()) !== text)
    : [];
  const words = [
    ...hidden.map(([name]) => `${name} ${found.get(name.toLowerCase()) ?? 'missing'}`),
    ...all.filter(({ name }) => !names.has(name)).map(({ name, text }) => `${name} ${text}`),
  ];
  return words.join(', ') || 'none';
}

/**
 * What other files say of our settings after ours, and so over it, by the setting's name in small letters. Taken in or not
 * yet: it counts from the next reload or start on.
 */
function overridden(
  resource: PostgresSettings,
  { rows }: SqlAnswer & { server: 'up' },
): ReadonlyMap<string, { readonly text: string; readonly where: string }> {
  return new Map(
    rows.flatMap(([kind, name = '', text = '', file = '', line = '']) =>
      kind === 'v'
        ? [[name.toLowerCase(), { text, where: place(resource, file, line) }] as const]
        : [],
    ),
  );
}

/**
 * What stands in postgresql.auto.conf, by the setting's name in small letters. Read by the server or not: the next reload or
 * start takes it in, over all files.
 */
function inAutoFile({ rows }: SqlAnswer & { server: 'up' }): ReadonlyMap<string, string> {
  return new Map(
    rows.flatMap(([kind, name = '', text = '']) =>
      kind === 'a' ? [[name.toLowerCase(), text] as const] : [],
    ),
  );
}

/** File and line, below the cluster's configuration. */
function place(resource: PostgresSettings, file: string, line: string): string {
  const conf = `${confOf(resource)}/`;
  return `${file.startsWith(conf) ? file.slice(conf.length) : file}:${line}`;
}

/** What PostgreSQL does not understand in its files, and where in those that are not ours. */
function errorsOf(
  resource: PostgresSettings,
  { rows }: SqlAnswer & { server: 'up' },
): { readonly errors: string; readonly broken: string } {
  const found = rows.flatMap(([kind, name = '', error = '', file = '', line = '']) =>
    kind === 'e' ? [{ name, error, where: place(resource, file, line) }] : [],
  );
  const texts = found.map(({ name, error, where }) => `${name} ${error} (${where})`.trim());
  const theirs = found.map(({ where }) => where).filter((w) => !w.startsWith(`${SETTINGS_FILE}:`));
  return { errors: texts.join('; ') || 'none', broken: theirs.join(', ') };
}

/** What the server says of each setting: the wanted text where it means the same, else its own. */
function liveState(
  resource: PostgresSettings,
  answer: SqlAnswer & { server: 'up' },
  needs: ReadonlyMap<string, number>,
): State {
  const { settings } = resource;
  const others = overridden(resource, answer);
  const auto = new Map(inAutoFile(answer));
  const beyond: string[] = [];
  const state: Record<string, string> = {};
  const due: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    const wanted = settingText(value);
    const row = answer.rows.find((r) => r[0] === 's' && r[1]?.toLowerCase() === name.toLowerCase());
    const [, , setting = '', unit = '', type = '', context = '', , shown = '', reset = '', source] =
      row ?? [];
    // Over the socket, tcp_… show 0 whatever is set; of a mode like 0640, the other one is in decimal.
    const isLive = (text: string): boolean =>
      [setting, reset].some((live) => meansTheSame(text, { setting: live, unit, type }));
    const same = row !== undefined && (source === 'alone' || isLive(wanted));
    const taken = auto.get(name.toLowerCase());
    // Taken in, and other than wanted: it is named as the setting's own difference.
    if (source === 'auto' && !same && taken !== undefined && isLive(taken)) {
      auto.delete(name.toLowerCase());
    }
    const other = others.get(name.toLowerCase());
    if (
      other !== undefined &&
      (same ? !isLive(other.text) : isLive(other.text) || other.text !== wanted)
    ) {
      state[name] = `${other.text} (${other.where})`;
      beyond.push(`${name} in ${other.where}`);
      // A restart would not help.
      continue;
    }
    state[name] = same ? wanted : row === undefined ? 'absent' : shown;
    if (!same && (context === 'postmaster' || row === undefined)) due.push(name);
  }
  // One that is no longer wanted goes back to its default, and this one by a restart; so does what others changed.
  const wantedNames = Object.keys(settings).map((name) => name.toLowerCase());
  const altered: string[] = [];
  for (const [kind, name = '', , , , context, , shown = '', , source] of answer.rows) {
    if (kind !== 's' || wantedNames.includes(name.toLowerCase())) continue;
    const text = auto.get(name.toLowerCase());
    if (source === 'auto' && text === undefined) altered.push(`${name} ${shown}`);
    // What only waits there goes without a restart.
    const waits = text !== undefined && source === '';
    if (context !== 'postmaster' || waits) continue;
    state[name] = shown;
    due.push(name);
  }
  for (const [name, text] of auto) altered.push(`${name} ${text === '' ? "''" : text}`);
  for (const [kind, name = '', whose = '', value = ''] of answer.rows) {
    if (kind === 'o') altered.push(`${name} ${value} of ${whose}`);
  }
  const pending = answer.rows
    .filter((r) => r[0] === 's' && r[6] === 't' && !others.has(r[1]?.toLowerCase() ?? ''))
    .map((r) => r[1] ?? '');
  return {
    ...state,
    pending_restart: pending.join(', ') || 'none',
    ...errorsOf(resource, answer),
    altered: altered.join(', ') || 'none',
    beyond: beyond.join(', '),
    restart: restartState([...new Set([...due, ...needs.keys()])]),
  };
}

/** One of the settings that the probe asks for in any case, as the server has it. */
function runsWith(name: string, { rows }: SqlAnswer & { server: 'up' }): number {
  return Number(rows.find((row) => row[0] === 'h' && row[1] === name)?.[2] ?? Infinity);
}

/** A connection that somebody else has set may hold a password: what is found goes into diffs, logs and reports. */
function withoutPasswords(state: State): State {
  const hide = (text: string): string =>
    text
      .replaceAll(/(password\s*=\s*)('(?:[^'\\]|\\.|'')*'|[^\s',]+)/gi, '$1<redacted>')
      .replaceAll(/(:\/\/[^:@\s/]*:)[^@\s]+@/g, '$1<redacted>@');
  return Object.fromEntries(
    Object.entries(state).map(([field, value]) => [
      field,
      typeof value === 'string' ? hide(value) : value,
    ]),
  );
}

/** A stopped server takes its files as they are when it starts: then only these can differ. */
function stateOf(resource: PostgresSettings, output: string, answer: SqlAnswer): Observed {
  const file = fileState(resource, output);
  if (answer.server === 'failed') return { unknown: answer.why };
  if (answer.server === 'up') {
    const replay = replayState(resource, output, (name) => runsWith(name, answer));
    const live = liveState(resource, answer, needsIn({ replay }));
    return withoutPasswords({ ...live, ...file, replay, in_file: inFile(resource, answer, live) });
  }
  if (file.file === 'absent') return 'absent';
  const replay = replayState(resource, output, (name) => wantedOf(resource.settings, name));
  const altered = alteredOf(resource, output);
  return withoutPasswords({ ...wantedState(resource), ...file, replay, altered });
}

export const postgresSettingsKind: Kind<PostgresSettings> = {
  name: 'postgresSettings',
  summary: 'settings of a PostgreSQL cluster: the file, and what the running server really uses',
  limit: 300,

  probe(wanted) {
    const files = wanted.map((resource) => {
      const path = `${confOf(resource)}/${SETTINGS_FILE}`;
      return sh`if grep -Eqs ${includePattern(resource)} ${`${confOf(resource)}/postgresql.conf`}; then echo include ${resource.id}; fi
if [ -e ${path} ]; then
  echo file ${resource.id} "$(sha256sum <${path} | cut -d ' ' -f 1)" "$(stat -c '%U:%G %a' ${path})"
fi
${probeNeeds(resource)}
${probeAutoFile(resource)}`;
    });
    const query = probeSql(`
select 's', name, setting, unit, vartype, context, ${PENDING}, current_setting(name), reset_val,
  case when sourcefile like '%/${ALONE_FILE}' and (pg_stat_file(sourcefile, true)).size > 0 then 'alone'
    when sourcefile like '%/${AUTO_FILE}' then 'auto' when sourcefile like '%/${SETTINGS_FILE}' then 'ours' else '' end
from pg_settings where lower(name) in (${namesOf(wanted)}) or ${PENDING} or sourcefile like '%/${AUTO_FILE}'
  or (sourcefile like '%/${SETTINGS_FILE}' and context = 'postmaster');
select 'h', name, setting from pg_settings where pg_is_in_recovery() and name in (${HOT_STANDBY_NAMES});
select 'a', name, setting from pg_file_settings where sourcefile like '%/${AUTO_FILE}' and name is not null order by seqno;
select 'o', name, whose, value from (${OVERRIDES}) o;
select 'f', name, setting, read from (select *,
    (pg_stat_file(sourcefile, true)).modification < date_trunc('second', pg_conf_load_time()) as read
  from pg_file_settings where sourcefile like '%/${SETTINGS_FILE}') f
where not read or lower(name) not in (${namesOf(wanted)});
select 'v', name, setting, sourcefile, sourceline from pg_file_settings
where lower(name) in (${namesOf(wanted)}) and sourcefile not like '%/${ALONE_FILE}' and sourcefile not like '%/${AUTO_FILE}'
  and seqno > (select max(seqno) from pg_file_settings where sourcefile like '%/${SETTINGS_FILE}')
order by seqno;
select 'e', name, error, sourcefile, sourceline from pg_file_settings
where error is not null and error <> 'setting could not be applied'
  and error not like '%cannot be changed without restarting the server';`);
    return lines([...files, sh`echo server`, query]);
  },

  parse(output, wanted) {
    const [files = '', server = ''] = output.split(/^server\n/m);
    const answer = parseSql(server);
    return new Map(wanted.map((resource) => [resource.id, stateOf(resource, files, answer)]));
  },

  want: wantedState,

  apply: applySettings,

  restarts: restartOf,

  remedy({ have, differences, resource }) {
    const { beyond = '', broken = '' }: Readonly<Record<string, unknown>> =
      typeof have === 'object' ? { ...have } : {};
    // As long as one file is not understood, PostgreSQL takes in none of them.
    if (broken !== '') {
      return `a file of yours is not understood, and PostgreSQL would not start again. In ${confOf(resource)}, mend ${String(broken)}. Then: odoo-prov apply FILE`;
    }
    const places = String(beyond)
      .split(', ')
      .filter((place) => place !== '');
    const theirs = places.map((place) => place.split(' ')[0]);
    if (differences.some(({ field }) => !theirs.includes(field))) return undefined;
    return `files of yours are read after ours, and left alone. In ${confOf(resource)}, take out ${places.join(', ')}; or set it in the inventory (postgres.settings) and there. Then: odoo-prov apply FILE`;
  },
};
