import Handlebars from 'handlebars';
import type { Plugin } from 'rolldown';
import { TEMPLATE_OPTIONS } from '../src/template/compile.js';
import { readTemplates } from '../src/template/package-files.js';

/** Compiles `templates/**.hbs` into the bundle, in the place of src/template/compile.ts: at every start that took a tenth of the client's time. */
export function precompiledTemplates(): Plugin {
  return {
    name: 'precompiled-templates',
    load(id) {
      return id.endsWith('/src/template/compile.ts') ? precompiledModule() : null;
    },
  };
}

function precompiledModule(): string {
  const templates = [...readTemplates()].filter(([name]) => name.endsWith('.hbs'));
  const entries = templates.map(([, text]) => {
    // Text, whatever its types say: the source of an object.
    const specification = Handlebars.precompile(text, TEMPLATE_OPTIONS) as string;
    return `[${JSON.stringify(text)}, ${specification}]`;
  });
  return `
import Handlebars from 'handlebars/runtime.js';
const specifications = new Map([${entries.join(',\n')}]);
export function compileTemplate(text) {
  const specification = specifications.get(text);
  if (specification === undefined) {
    throw new Error('a template is not the one that the program was built with: npm run build');
  }
  return Handlebars.template(specification);
}
`;
}
