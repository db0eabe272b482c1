export { keyFilePath } from './key-file.js';
export {
  createRecoveryKey,
  fingerprintOf,
  openSealed,
  RECOVERY_RECIPIENT,
  sealSecrets,
} from './recovery.js';
export { redact, redactor } from './redact.js';
export { openSecrets, secretsFileOf, type OpenOptions, type SecretStore } from './store.js';
