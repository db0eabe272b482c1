import { applyOdooDatabase, probeOdooDatabase } from './odoo-database-script.js';
import type { OdooDatabaseOptions, OdooDatabaseResource } from './odoo-database-resource.js';
import type { Kind, Observed, State } from './kind.js';

/** An initialised Odoo database. */
export function odooDatabase(options: OdooDatabaseOptions): OdooDatabaseResource {
  return { kind: 'odooDatabase', id: options.name, ...options };
}

export const odooDatabaseKind: Kind<OdooDatabaseResource> = {
  name: 'odooDatabase',
  summary: 'an Odoo database: initialised once, its languages and system parameters',
  probe: (wanted) => probeOdooDatabase(wanted),
  parse(output, wanted) {
    const texts = sections(output);
    return new Map(wanted.map((resource) => [resource.id, observed(resource, texts)]));
  },
  want: (resource) => ({
    initialised: true,
    languages: [...resource.languages].sort().join(' '),
    ...resource.parameters,
  }),
  apply: ({ resource }) => applyOdooDatabase(resource),
  /** Known not to be there. While PostgreSQL is down nothing is known, and apply looks for itself. */
  hazard: ({ resource, have }) =>
    typeof have === 'object' && 'initialised' in have && have['initialised'] === false
      ? { type: 'creates-database', what: `the Odoo database ${resource.name}` }
      : undefined,
  limit: 1800,
};

/** The probe's answer cut at its headings `@id`. */
function sections(output: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let rows: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('@')) found.set(line.slice(1), (rows = []));
    else if (line !== '') rows.push(line);
  }
  return found;
}

function observed(
  resource: OdooDatabaseResource,
  texts: ReadonlyMap<string, readonly string[]>,
): Observed {
  const rows = (texts.get(resource.id) ?? []).map((row) => row.split('\t'));
  const values = (word: string): string[][] => rows.filter(([w]) => w === word);
  const [unknown] = values('unknown');
  const [status] = values('status');
  if (unknown !== undefined || status === undefined) {
    return { unknown: unknown?.[1] ?? 'the look at it said nothing' };
  }
  const active = values('language').map(([, code]) => code ?? '');
  const state: State = {
    initialised: status[1] === 'ready',
    languages: resource.languages
      .filter((code) => active.includes(code))
      .sort()
      .join(' '),
  };
  const parameters = values('parameter').map(([, key, value]): [string, string] => [
    key ?? '',
    value ?? '',
  ]);
  return { ...state, ...Object.fromEntries(parameters) };
}
