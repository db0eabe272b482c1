import { quote, type Script } from '../shell/index.js';

/** How a login becomes root: it is root, by sudo without a password, or by sudo with one. */
export type Elevation = 'none' | 'sudo' | 'sudo-password';

/**
 * Longest exec string in bytes. Linux takes 128 KiB as one argument (MAX_ARG_STRLEN); the rest is for what the
 * login shell adds.
 */
export const EXEC_STRING_LIMIT = 100 * 1024;
/** Seconds that a host gets on top of the caller's limit before it ends the command by itself. */
const REMOTE_GRACE = 5;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface WireOptions {
  readonly elevation: Elevation;
  /** Random letters and digits that mark our own lines on standard error. */
  readonly nonce: string;
  /** Seconds. */
  readonly limit: number;
  /** Whether more scripts follow on stdin. */
  readonly fed: boolean;
}

export interface WireText {
  /** The exec string: never holds a secret. */
  readonly command: string;
  /** What goes to stdin before anything else; undefined when stdin stays empty. */
  readonly input: string | undefined;
}

/** The line on standard error that says: the shell runs, as the user it is meant to run as. */
export function startMarker(nonce: string): string {
  return `@started ${nonce}`;
}

/** sudo's prompt, by which its asking for the password is seen. */
export function promptMarker(nonce: string): string {
  return `@password ${nonce}`;
}

/**
 * A script as it is sent: one function that its last line calls, so that a script cut on the way runs nothing;
 * with its own PATH and locale, and nothing on its standard input.
 */
export function wrapScript(text: string, nonce: string): string {
  return `odoo_prov() {\n${preamble(nonce)}\n${text}\n}\nodoo_prov </dev/null\n`;
}

function preamble(nonce: string): string {
  return (
    `echo '${startMarker(nonce)}' >&2; umask 022\n` +
    `LC_ALL=C; LANGUAGE=; PATH=${PATH}; export LC_ALL LANGUAGE PATH`
  );
}

/**
 * Decides between exec string and stdin, and adds what makes the login root.
 *
 * `timeout` runs behind sudo, so that a command whose caller has gone ends by itself. With a password, sudo is
 * asked once by itself (`-v`) and gets end-of-file for a second attempt; `sudo -S sh -s` would run the password
 * as a command on a host that wants none.
 */
export function wireText(script: Script, options: WireOptions): WireText {
  const { elevation, nonce, fed } = options;
  const seconds = options.limit + REMOTE_GRACE;
  const text = fed
    ? `${preamble(nonce)}\n${script.render()}\n`
    : wrapScript(script.render(), nonce);
  const timed = `timeout -k 10 ${seconds} sh`;
  switch (elevation) {
    case 'none': {
      // In base64 the script is one plain word to every login shell: csh would run each line of a quoted
      // script by itself, and fish reads backslashes in quotes differently.
      const encoded = Buffer.from(text).toString('base64');
      const command = `echo ${encoded} | base64 -d | ${timed} -s`;
      return !fed && !script.hasSecrets && command.length < EXEC_STRING_LIMIT
        ? { command, input: undefined }
        : { command: `exec ${timed} -s`, input: text };
    }
    case 'sudo':
      return { command: inSh(`sudo -n sh -c 'exec ${timed} -s'`), input: text };
    case 'sudo-password':
      return {
        command: inSh(
          `IFS= read -r p; printf "%s\\n" "$p" | sudo -S -p ${quote(promptMarker(nonce))} -v` +
            ` && { unset p; sudo -n sh -c 'exec ${timed} -s'; exit $?; }`,
        ),
        input: text,
      };
  }
}

/** sudo's messages are recognised in English. */
function inSh(text: string): string {
  return `exec env LC_ALL=C sh -c ${anyShellQuote(text)}`;
}

/**
 * Quotes one word without a line feed for whatever login shell the user has: also right for fish, which takes
 * a backslash inside single quotes for an escape.
 */
export function anyShellQuote(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`).replaceAll('\\', `'"\\\\"'`)}'`;
}
