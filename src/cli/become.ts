import { readFileSync } from 'node:fs';
import { Failure } from '../failure/failure.js';
import { Secret } from '../shell/index.js';
import { askSecret } from '../ui/prompt.js';

export interface BecomeFlags {
  readonly askBecomePass?: true;
  readonly becomePasswordFile?: string;
}

/**
 * sudo's password, as the options say; undefined when none was asked for.
 * @throws Failure usage when the file cannot be used or nobody can be asked
 */
export async function becomePassword(flags: BecomeFlags): Promise<Secret | undefined> {
  if (flags.askBecomePass === true) {
    return askSecret("sudo's password on the hosts:", 'give --become-password-file FILE instead');
  }
  if (flags.becomePasswordFile === undefined) return undefined;
  const [password] = read(flags.becomePasswordFile).split(/\r?\n/);
  if (password !== undefined && password !== '') return new Secret(password);
  throw new Failure({
    reason: 'usage',
    message: `the password file ${flags.becomePasswordFile} is empty`,
    expected: "sudo's password on its first line",
    remedy: 'write the password into it, with mode 0600',
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure({
      reason: 'usage',
      message: `the password file ${path} cannot be read`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'check the path given to --become-password-file',
      cause,
    });
  }
}
