import { cutOffHost } from '../fault.js';
import { withoutNft } from '../without-nft.js';
import { primaryLost } from './primary-lost.js';

/** The primary is cut off and does not notice; when the network is back, its guard stops it. */
export const primaryCutOff = primaryLost({
  name: 'primary-cut-off',
  title: 'the primary is cut off from the network: failover, rejoin, and back',
  lacks: () => undefined,
  hostLacks: withoutNft,
  lose: (trial) => trial.fault(cutOffHost(trial.primary, 'primary-cut-off')),
});
