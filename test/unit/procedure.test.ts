import { describe, expect, it } from 'vitest';
import { step } from '../../playbooks/primary/steps.js';
import { raw, Secret, sh, strict } from '../../src/shell/index.js';
import { LocalSession } from '../support/local-session.js';
import { testCluster } from '../support/site.js';

describe('a step of a procedure', () => {
  const mover = (session: LocalSession): Parameters<typeof step>[0] => ({
    cluster: testCluster([session.host]),
    sessions: new Map([['pg1', session]]),
    tell: () => undefined,
  });

  it('ends at its first command that fails: the data of a server that did not stop is not moved', async () => {
    const session = new LocalSession('pg1');
    const script = sh`
echo stopping
(exit 3)
echo moved`;
    await expect(step(mover(session), 'pg1', 'move its data', script)).rejects.toMatchObject({
      details: {
        host: 'pg1',
        message: 'could not move its data: the command failed',
        found: 'exit code 3',
        output: 'stopping\n\n',
      },
    });
  });

  it('ends at a name that was never set: nothing is removed by half a path', async () => {
    const session = new LocalSession('pg1');
    const script = raw('echo "remove /$folder/main"; echo removed');
    await expect(step(mover(session), 'pg1', 'remove it', script)).rejects.toThrow('remove it');
    expect((await session.run(strict(script))).stdout).toBe('');
  });

  it('gives what was printed when all went well', async () => {
    const script = raw('if false; then :; fi\n! false\necho well');
    expect(await step(mover(new LocalSession('pg1')), 'pg1', 'look', script)).toBe('well');
  });

  it('still knows that a script has secrets', () => {
    expect(strict(sh`echo ${new Secret('x')}`).hasSecrets).toBe(true);
  });
});
