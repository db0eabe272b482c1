/** Why something went wrong, as a closed list: the exit code and the remedy follow from it. */
export type Reason =
  | 'usage'
  | 'inventory'
  | 'unreachable'
  | 'authentication'
  | 'host-key'
  | 'sudo-password'
  | 'sudo-not-allowed'
  | 'apt-lock'
  | 'dpkg-interrupted'
  | 'disk-full'
  | 'timeout'
  | 'cut-answer'
  | 'command-failed'
  | 'not-converged'
  | 'run-lock'
  | 'refused'
  | 'consent'
  | 'interrupted'
  | 'lab';

export interface FailureDetails {
  readonly reason: Reason;
  /** One short line: what failed. */
  readonly message: string;
  readonly host?: string;
  /** The resource's key, e.g. `file:/etc/nginx/nginx.conf`. */
  readonly resource?: string;
  readonly expected?: string;
  readonly found?: string;
  /** The last lines that the command printed. */
  readonly output?: string;
  /** What to do next. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The one shape of every error that a user sees. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly details: FailureDetails;

  constructor(details: FailureDetails) {
    super(details.message, { cause: details.cause });
    this.details = details;
  }

  get reason(): Reason {
    return this.details.reason;
  }
}

/** Exit codes of the command line. */
export const EXIT = {
  done: 0,
  usage: 1,
  changes: 2,
  failed: 3,
  unreachable: 4,
  refused: 5,
  interrupted: 130,
} as const;

/** The exit code that a reason stands for. */
export function exitCodeOf(reason: Reason): number {
  switch (reason) {
    case 'usage':
    case 'inventory':
    case 'lab':
      return EXIT.usage;
    case 'unreachable':
    case 'authentication':
    case 'host-key':
      return EXIT.unreachable;
    case 'refused':
    case 'consent':
    case 'run-lock':
      return EXIT.refused;
    case 'interrupted':
      return EXIT.interrupted;
    case 'sudo-password':
    case 'sudo-not-allowed':
    case 'apt-lock':
    case 'dpkg-interrupted':
    case 'disk-full':
    case 'timeout':
    case 'cut-answer':
    case 'command-failed':
    case 'not-converged':
      return EXIT.failed;
  }
}

/**
 * The failure as lines of text, host and resource first, then expected/found, the command's last lines
 * and what to do next.
 */
export function formatFailure(failure: Failure): string {
  const { host, resource, message, expected, found, output, remedy } = failure.details;
  const where = [host, resource].filter((part) => part !== undefined).join(' ');
  const rows = [where === '' ? message : `${where}: ${message}`];
  if (expected !== undefined) rows.push(`  expected  ${expected}`);
  if (found !== undefined) rows.push(`  found     ${found}`);
  if (output !== undefined && output.trim() !== '') {
    rows.push('  it said');
    for (const line of output.trimEnd().split('\n').slice(-12)) rows.push(`    ${line}`);
  }
  rows.push(`  next      ${remedy}`);
  return rows.join('\n');
}
