import type { Secret } from '../shell/index.js';
import { askSecret } from '../ui/prompt.js';

/**
 * Asks for the passphrases of private keys, each once, one question after the other however many hosts
 * want it at the same time. Undefined where nobody can be asked.
 * @param hold keeps the terminal free for the question
 */
export function passphraseAsker(
  hold: () => () => void,
): ((keyPath: string) => Promise<Secret>) | undefined {
  // Node says undefined for what is not a terminal, whatever its types say.
  if ((process.stdin.isTTY as boolean | undefined) !== true) return undefined;
  const asked = new Map<string, Promise<Secret>>();
  let last: Promise<unknown> = Promise.resolve();
  return (keyPath) => {
    const earlier = asked.get(keyPath);
    if (earlier !== undefined) return earlier;
    const release = hold();
    const answer = last
      .then(() => askSecret(`passphrase of ${keyPath}:`, 'put the key into an ssh-agent'))
      .finally(release);
    last = answer.catch(() => undefined);
    asked.set(keyPath, answer);
    return answer;
  };
}
