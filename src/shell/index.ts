export { quote } from './quote.js';
export { base64, lines, raw, Script, sh, strict } from './script.js';
export { REDACTED, reveal, Secret } from './secret.js';
