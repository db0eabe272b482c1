import type { Finding } from '../inventory/index.js';
import type { Style } from '../ui/style.js';

/** Findings as lines: severity, subject, what was found, and below it what to do. */
export function findingLines(findings: readonly Finding[], style?: Style): readonly string[] {
  return findings.flatMap((finding) => {
    const subject =
      typeof finding.subject === 'number'
        ? `principle ${String(finding.subject)}`
        : finding.subject;
    const host = finding.host === undefined ? '' : `${finding.host}: `;
    const severity = finding.severity.padEnd(7);
    const line = `${style === undefined ? severity : colour(finding, style)(severity)}  ${subject.padEnd(12)}  ${host}${finding.message}`;
    return finding.advice === undefined ? [line] : [line, `${' '.repeat(23)}→ ${finding.advice}`];
  });
}

function colour({ severity }: Finding, style: Style): (text: string) => string {
  switch (severity) {
    case 'error':
      return style.bad;
    case 'warning':
      return style.changed;
    case 'note':
      return style.dim;
    case 'fine':
      return style.good;
  }
}
