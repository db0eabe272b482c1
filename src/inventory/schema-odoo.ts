import { z } from 'zod';
import { choice, domain, filePath, section, settings, text, whole } from './values.js';
import { didYouMean, show, words } from './words.js';

const source = z.union(
  [
    z.literal('nightly'),
    section({
      debian: section({
        accept_unstable: z.literal(true, {
          error: () =>
            words(
              "Debian has Odoo only in unstable: it gets no security team's updates",
              'accept_unstable: true, to take it knowingly',
            ),
        }),
      })
        .describe("Debian unstable's package, taken knowingly (what the lab uses).")
        .optional(),
      apt: section({
        uri: text(
          'the URI of an apt source',
          'http://…, https://… or file:/…',
          /^(https?:\/\/|file:\/)\S+$/,
        ),
        suite: text('a suite', 'e.g. stable, or ./ for a flat repository', /^[\w.~+/-]+$/)
          .describe('Default: ./ (a flat repository).')
          .optional(),
        components: z
          .array(text('a component', 'e.g. main', /^[\w.~+/-]+$/), {
            error: ({ input }) =>
              words(`${show(input)} is not a list of components`, 'e.g. [main]'),
          })
          .describe('Default: none, as a flat repository has it.')
          .optional(),
        key: filePath.describe('ASCII-armoured public key file, relative to this file.'),
        package: text('the name of a package', 'e.g. odoo', /^[a-z0-9][a-z0-9+.-]+$/)
          .describe('Default: odoo.')
          .optional(),
      })
        .describe('Your own repository.')
        .optional(),
    }).meta({ minProperties: 1, maxProperties: 1 }),
  ],
  { error: ({ input }) => sourceWords(input) },
);

function sourceWords(input: unknown): string {
  const expected = 'nightly, { debian: { accept_unstable: true } } or { apt: { uri, key, … } }';
  const hint = typeof input === 'string' ? didYouMean(input, ['nightly']) : '';
  return input === 'debian'
    ? words("Debian has Odoo only in unstable: it gets no security team's updates", expected)
    : words(`${show(input)} is not a source of Odoo${hint}`, expected);
}

/** The section `odoo`. */
export const odoo = section({
  version: choice('Odoo version', ['16.0', '17.0', '18.0', '19.0'])
    .describe('In quotes. Default: "19.0".')
    .optional(),
  source: source
    .describe("Where Odoo's package comes from. Default: nightly (nightly.odoo.com).")
    .optional(),
  database: text(
    'a database name',
    'lower-case letters, digits, - and _',
    /^[a-z_][a-z0-9_-]{0,62}$/,
  )
    .describe('Default: odoo.')
    .optional(),
  domain: domain().describe('Name that users type. Default: <cluster>.example.').optional(),
  users: whole('a number of users', 1, 100000)
    .describe('Concurrent users; sizes workers, pools and PostgreSQL. Default: 50.')
    .optional(),
  sessions: choice('place for sessions', ['redis', 'files'])
    .describe('Default: redis when a host has that role, else files (in the filestore).')
    .optional(),
  languages: z
    .array(
      text('a language', 'a code of Odoo, e.g. de_DE', /^[a-z]{2,3}(_[A-Z0-9]{2,3})?(@[a-z]+)?$/),
      {
        error: ({ input }) =>
          words(`${show(input)} is not a list of languages`, 'e.g. [de_DE, fr_FR]'),
      },
    )
    .describe('Loaded when the database is created, beside English. Default: none.')
    .optional(),
  settings: settings('odoo.conf').describe('Any odoo.conf key, for all Odoo services.').optional(),
});
