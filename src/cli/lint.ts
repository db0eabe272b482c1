import { EXIT } from '../failure/failure.js';
import { lintCluster, readInventory, type Cluster } from '../inventory/index.js';
import { print, stdoutStyle } from '../ui/terminal.js';
import { plural } from '../ui/text.js';
import { findingLines } from './finding-lines.js';

export interface LintFlags {
  readonly json?: true;
}

/** `odoo-prov lint FILE`: exit 1 when the inventory could not be applied, else 0. */
export function lint(file: string, flags: LintFlags): void {
  const inventory = readInventory(file);
  const findings = inventory.ok ? lintCluster(inventory.cluster) : [];
  const bad = !inventory.ok || findings.some(({ severity }) => severity === 'error');
  if (bad) process.exitCode = EXIT.usage;
  if (flags.json === true) {
    const diagnostics = inventory.ok ? inventory.warnings : inventory.diagnostics;
    print(JSON.stringify({ ok: !bad, diagnostics, findings }, null, 2));
    return;
  }
  if (inventory.text.trim() !== '') print(inventory.text.trimEnd());
  if (!inventory.ok) return;
  const style = stdoutStyle();
  print(style.strong(summary(file, inventory.cluster)));
  print(findingLines(findings, style).join('\n'));
}

function summary(file: string, cluster: Cluster): string {
  const roles = new Set(cluster.hosts.flatMap((host) => host.roles)).size;
  return `${file}: ${cluster.name}, ${plural(cluster.hosts.length, 'host')}, ${plural(roles, 'role')}`;
}
