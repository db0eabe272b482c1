import { createTwoFilesPatch } from 'diff';
import { changesOf, type Plan } from '../plan/diff.js';
import { keyOf } from '../resource/kind.js';
import type { FileResource } from '../resource/file.js';
import { lines, Secret, sh } from '../shell/index.js';
import type { Session } from '../transport/session.js';
import type { Emit } from './event.js';

/** Bytes of a remote file that are fetched for a diff. */
const LARGEST = 256 * 1024;

/**
 * Fetches every file of a plan that differs in content and tells how, in one exec. Contents with
 * secrets are never fetched: of them only the name is told.
 */
export async function tellFileDiffs(session: Session, plan: Plan, emit: Emit): Promise<void> {
  const files = changesOf(plan)
    // Where only the mode or the owner differs, there is nothing to show of the contents.
    .filter(({ differences }) =>
      differences.some(({ field }) => !['mode', 'owner', 'group'].includes(field)),
    )
    .map((change) => change.resource)
    .filter((resource): resource is FileResource => resource.kind === 'file');
  const open = files.filter((f) => f.ensure === 'absent' || !(f.content instanceof Secret));
  const answer = open.length === 0 ? undefined : await session.run(fetchAll(open));
  const found = answer?.stdout.split('\n') ?? [];
  for (const file of files) {
    const at = open.indexOf(file);
    const diff = at === -1 ? secretDiff(file) : diffOf(file, found[at] ?? '-');
    if (diff !== '') emit({ type: 'file-diff', host: plan.host, key: keyOf(file), diff });
  }
}

function fetchAll(files: readonly FileResource[]): ReturnType<typeof sh> {
  return lines(
    files.map(
      ({ path }) =>
        sh`if [ -f ${path} ]; then head -c ${LARGEST} ${path} | base64 -w 0; echo; else echo -; fi`,
    ),
  );
}

function diffOf(file: FileResource, found: string): string {
  const before = found === '-' ? '' : Buffer.from(found, 'base64').toString('utf8');
  const after = file.ensure === 'present' && typeof file.content === 'string' ? file.content : '';
  if (before === after) return '';
  const from = found === '-' ? '/dev/null' : file.path;
  const to = file.ensure === 'present' ? file.path : '/dev/null';
  const patch = createTwoFilesPatch(from, to, before, after, 'is', 'wanted', { context: 3 });
  return patch.slice(patch.indexOf('--- '));
}

function secretDiff(file: FileResource): string {
  return `--- ${file.path}\n+++ ${file.path}\n(holds secrets: its contents are not shown)\n`;
}
