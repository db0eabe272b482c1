import { noOwnCluster } from '../src/postgres/scratch-script.js';
import { aptPackage, kinds } from '../src/resource/index.js';
import { lines, raw, type Script } from '../src/shell/index.js';

/** Installs packages on a host that no role has given them, where one is missing; none makes a database by itself. */
export function installPackages(names: readonly string[]): Script {
  const wanted = names.map((name) => ({
    resource: aptPackage({ name }),
    have: 'absent' as const,
    want: { status: 'installed' },
    differences: [],
  }));
  const apt = kinds['package']?.applyTogether?.(wanted);
  if (apt === undefined) throw new Error('packages are not installed together any more');
  const all = String(names.length);
  const installed = `dpkg-query -W -f '\${db:Status-Status}\n' ${names.join(' ')} 2>/dev/null | grep -cx installed`;
  return lines([noOwnCluster(), raw(`if [ "$(${installed})" != ${all} ]; then`), apt, raw('fi')]);
}
