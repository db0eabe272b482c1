export { parseAddress } from './address.js';
export { classifyCommandFailure } from './classify.js';
export { createConnector } from './connector.js';
export type {
  Answer,
  ConnectOptions,
  Connector,
  ForwardingSession,
  RunOptions,
  Session,
} from './session.js';
export type { LocalUser } from './target.js';
export {
  collectHostKeys,
  type HostKeyCollection,
  type HostKeyFinding,
  pinHostKeys,
} from './trust.js';
