import { expect, it } from 'vitest';
import type { Plan } from '../../../src/plan/diff.js';
import { file } from '../../../src/resource/index.js';
import type { Change } from '../../../src/resource/kind.js';
import type { RunEvent } from '../../../src/run/event.js';
import { tellFileDiffs } from '../../../src/run/file-diff.js';
import { Secret } from '../../../src/shell/index.js';
import type { Session } from '../../../src/transport/session.js';

async function told(fields: readonly string[]): Promise<readonly RunEvent[]> {
  const change: Change = {
    resource: file({ path: '/etc/odoo/app.conf', content: new Secret('x') }),
    have: {},
    want: {},
    differences: fields.map((field) => ({ field, have: 'a', want: 'b' })),
  };
  const plan = { host: 'app1', stages: [{ stage: 'app', changes: [change] }] } as unknown as Plan;
  const events: RunEvent[] = [];
  await tellFileDiffs({} as Session, plan, (event) => events.push(event));
  return events;
}

it('a file with secrets is told to differ in content only where it does', async () => {
  expect(await told(['mode', 'owner', 'group'])).toEqual([]);
  expect(await told(['sha256', 'mode'])).toHaveLength(1);
  expect(await told(['state'])).toHaveLength(1);
});
