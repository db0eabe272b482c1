import { Failure } from '../failure/failure.js';
import { promptMarker, startMarker } from './wire.js';

interface SudoSituation {
  readonly host: string;
  readonly user: string;
  readonly nonce: string;
  /** Whether sudo was given a password. */
  readonly withPassword: boolean;
  readonly code: number;
  readonly stderr: string;
}

/** sudo's own words in English (sudo 1.9: plugins/sudoers, src/), and PAM's for locked accounts. */
const NOT_ALLOWED: readonly { pattern: RegExp; why: string; remedy: string }[] = [
  {
    pattern: /sudo: (?:command )?not found|env: .?sudo.?: No such file|sudo: No such file/i,
    why: 'sudo is not installed',
    remedy: 'log in as root, or install sudo on the host once (apt-get install sudo)',
  },
  {
    pattern: /must have a tty|no tty present/i,
    why: 'sudo wants a terminal (requiretty)',
    remedy: 'add `Defaults:USER !requiretty` with visudo',
  },
  {
    pattern: /not in the sudoers file|may not run sudo|is not allowed to/i,
    why: 'USER may not run commands as root',
    remedy: 'add `USER ALL=(ALL:ALL) ALL` with visudo (on Debian: adduser USER sudo)',
  },
  {
    pattern: /account .*(?:locked|expired)|account validation failure/i,
    why: 'the account of USER is locked or expired',
    remedy: 'look at `chage -l USER` and `faillock --user USER` on the host',
  },
];

/** Why sudo did not start the shell, from what it printed. */
export function sudoFailure(situation: SudoSituation): Failure {
  const { host, user, nonce, withPassword, stderr } = situation;
  const output = shownError(stderr, nonce).trim();
  const base = { host, ...(output !== '' && { output }) };
  const known = NOT_ALLOWED.find(({ pattern }) => pattern.test(output));
  if (known !== undefined) {
    return new Failure({
      ...base,
      reason: 'sudo-not-allowed',
      message: known.why.replaceAll('USER', user),
      remedy: known.remedy.replaceAll('USER', user),
    });
  }
  if (
    /incorrect password|try again|no password was provided|Authentication failure/i.test(output)
  ) {
    return new Failure({
      ...base,
      reason: 'sudo-password',
      message: `sudo refused the password of ${user}`,
      remedy:
        'run again with the right password (--ask-become-pass); it was tried exactly once on this host, so that no account gets locked',
    });
  }
  if (/a password is required|a terminal is required/i.test(output)) {
    return withPassword ? notKept(base, user) : passwordMissing(base, user);
  }
  return new Failure({
    ...base,
    reason: 'sudo-not-allowed',
    message: `sudo did not start a shell (exit code ${situation.code})`,
    remedy: `log in as ${user} and try: sudo -v && sudo -n true`,
  });
}

function passwordMissing(base: { host: string; output?: string }, user: string): Failure {
  return new Failure({
    ...base,
    reason: 'sudo-password',
    message: `sudo wants a password for ${user}, and none was given`,
    remedy: 'run again with --ask-become-pass or --become-password-file FILE',
  });
}

/** `sudo -v` took the password, and the next `sudo` wanted it again. */
function notKept(base: { host: string; output?: string }, user: string): Failure {
  return new Failure({
    ...base,
    reason: 'sudo-not-allowed',
    message: 'sudo forgets the password at once (timestamp_timeout=0)',
    remedy:
      `add \`Defaults:${user} timestamp_timeout=1\` with visudo, ` +
      `or let ${user} become root without a password (NOPASSWD: ALL)`,
  });
}

/** Standard error without our own lines, whether the script was started or not. */
export function shownError(stderr: string, nonce: string): string {
  return afterStart(stderr, nonce) ?? stderr.replaceAll(promptMarker(nonce), '');
}

/**
 * Standard error as the script wrote it: without our own first line and what sudo printed before it.
 * @returns undefined when the script was never started
 */
export function afterStart(stderr: string, nonce: string): string | undefined {
  const marker = `${startMarker(nonce)}\n`;
  const at = stderr.indexOf(marker);
  return at === -1 ? undefined : stderr.slice(at + marker.length);
}
