import { raw } from '../../src/shell/index.js';
import type { Trial } from './trial.js';

/** Why the primary's network cannot be cut; undefined when it can. */
export async function withoutNft({
  hosts,
  primary,
}: Pick<Trial, 'hosts' | 'primary'>): Promise<string | undefined> {
  return (await hosts.run(primary.name, raw('command -v nft || :'))) === ''
    ? `nftables is not installed on ${primary.name} (apt-get install nftables)`
    : undefined;
}
