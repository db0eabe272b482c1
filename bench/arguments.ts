import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Measured rounds; one more goes before, for the caches. */
  readonly rounds: number;
  /** The inventory of a converged lab to use instead of the bench's own. */
  readonly inventory: string | undefined;
  /** Take the bench's own lab down and stop. */
  readonly down: boolean;
}

/** @throws Error what is wrong, in one line */
export function readArguments(words: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      rounds: { type: 'string', default: '7' },
      inventory: { type: 'string' },
      down: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1 on');
  return { rounds, inventory: values.inventory, down: values.down };
}
