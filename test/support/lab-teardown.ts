import { labList } from '../../src/lab/index.js';
import { keepLabs, removeLab, TEST_LAB_PREFIX } from './lab.js';

/** vitest's global set-up for hosts: the labs that this run made are taken down when it ends. */
export async function setup(): Promise<() => Promise<void>> {
  const before = await names();
  return async () => {
    if (keepLabs) return;
    const ours = (await names()).filter(
      (n) => n.startsWith(TEST_LAB_PREFIX) && !before.includes(n),
    );
    await Promise.all(ours.map(removeLab));
  };
}

async function names(): Promise<string[]> {
  return (await labList()).map((lab) => lab.name);
}
