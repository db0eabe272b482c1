import type { ProcedureOptions } from '../../playbooks/procedure.js';
import { print, tell } from '../ui/terminal.js';
import { printable } from '../ui/text.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { listenForInterrupt } from './interrupt.js';
import { passphraseAsker } from './passphrase.js';

export interface ProcedureFlags extends BecomeFlags {
  readonly json?: true;
}

/** Runs a procedure with what a person at a terminal gives it: sudo's password, Ctrl-C, lines to read. */
export async function procedureOptions(
  flags: ProcedureFlags,
  work: (options: ProcedureOptions) => Promise<void>,
): Promise<void> {
  const password = await becomePassword(flags);
  const interrupt = listenForInterrupt(tell);
  const askPassphrase = passphraseAsker(() => () => undefined);
  const signal = AbortSignal.any([interrupt.stop, interrupt.abort]);
  try {
    await work({
      tell: flags.json === true ? tell : print,
      progress: (line) => {
        if (line.trim() !== '') tell(`  ${printable(line)}`);
      },
      connect: {
        signal,
        ...(password === undefined ? {} : { becomePassword: password }),
        ...(askPassphrase === undefined ? {} : { askPassphrase }),
      },
    });
  } finally {
    interrupt.release();
  }
}
