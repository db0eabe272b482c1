export { keyFilePath } from './key-file.js';
export { redact, redactor } from './redact.js';
export { openSecrets, secretsFileOf, type OpenOptions, type SecretStore } from './store.js';
