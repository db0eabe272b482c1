import { randomBytes } from 'node:crypto';
import { compileProbe, parseProbe, type Output, type Snippet } from '../batch/probe.js';
import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { RunOptions, Session } from '../transport/session.js';
import { withoutFrames } from './without-frames.js';

/**
 * Runs snippets on a host, in one exec.
 * @param options of the exec; `snippetLimit`: seconds that each snippet may take, 30 if not given
 * @returns output by snippet name
 * @throws Failure of the transport; cut-answer
 */
export async function runProbe(
  session: Session,
  snippets: readonly Snippet[],
  { snippetLimit, ...options }: RunOptions & { readonly snippetLimit?: number },
): Promise<ReadonlyMap<string, Output>> {
  const nonce = randomBytes(8).toString('hex');
  const answer = await session
    .run(compileProbe(snippets, nonce, snippetLimit), options)
    .catch((error: unknown) => {
      throw error instanceof Failure ? withoutFrames(error, nonce) : error;
    });
  const outputs = parseProbe(answer.stdout, nonce);
  if (outputs === undefined) throw cut(session.host, answer.stderr);
  return outputs;
}

function cut(host: Host, stderr: string): Failure {
  return new Failure({
    reason: 'cut-answer',
    host: host.name,
    message: 'its answer was cut off',
    expected: 'an answer that ends with the end frame',
    found: 'no end frame',
    output: stderr,
    remedy:
      'run the command again; if it stays, look at the network and at `journalctl -u ssh` there',
  });
}
