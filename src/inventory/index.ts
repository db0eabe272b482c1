export {
  backupHost,
  type Backup,
  type Cluster,
  type Host,
  hostsWith,
  type S3Bucket,
} from './cluster.js';
export { formatDiagnostics, type Diagnostic } from './diagnostic.js';
export { parseInventory, type Inventory } from './parse.js';
export { readInventory } from './read.js';
export { inventoryJsonSchema } from './json-schema.js';
export { lintCluster, type Finding } from './lint.js';
export { didYouMean, nearest } from './words.js';
