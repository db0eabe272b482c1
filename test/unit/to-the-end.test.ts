import { expect, it, vi } from 'vitest';
import { toTheEnd } from '../../src/cli/to-the-end.js';

it('says at Ctrl-C what is not left halfway, and goes on', async () => {
  const told: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told.push(String(text));
    return true;
  });
  try {
    const listeners = process.listenerCount('SIGINT');
    let end: () => void = () => undefined;
    const work = toTheEnd(new Promise((resolve) => (end = resolve)), 'the data of db1');
    process.emit('SIGINT');
    process.emit('SIGINT');
    end();
    await work;
    const line =
      'this goes on, for the data of db1 is not left halfway; after three times Ctrl-C, the same command again brings it to its end\n';
    expect(told).toEqual([line, line]);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  } finally {
    write.mockRestore();
  }
});
