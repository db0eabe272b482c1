import { runNode } from './measure.js';
import { TOOL } from './paths.js';
import { spread, type Spread } from './statistics.js';

export interface VersionFigures {
  /** Seconds. */
  readonly node: Spread;
  readonly version: Spread;
  /** The middle of `odoo-prov --version` ÷ `node -e 0`, pair by pair. */
  readonly ratio: number;
}

/** `odoo-prov --version` beside `node -e 0`, one after the other. */
export async function measureVersion(pairs: number): Promise<VersionFigures> {
  const node: number[] = [];
  const version: number[] = [];
  for (let i = 0; i < pairs; i += 1) {
    node.push((await runNode(['-e', '0'])).wall);
    version.push((await runNode([TOOL, '--version'])).wall);
  }
  const ratios = version.map((wall, i) => wall / (node[i] ?? Number.NaN));
  return { node: spread(node), version: spread(version), ratio: spread(ratios).median };
}
