import Handlebars from 'handlebars';

/** How templates are compiled: nothing is HTML-escaped, and a name that the data lacks is an error. */
export const TEMPLATE_OPTIONS = { noEscape: true, strict: true } as const;

/**
 * A template ready to be filled in. In the bundle, scripts/precompiled-templates.ts puts another module in the place of
 * this one: there they were compiled when it was built, and Handlebars' compiler is left out.
 */
export function compileTemplate(text: string): (data: unknown) => string {
  return Handlebars.compile(text, TEMPLATE_OPTIONS);
}
