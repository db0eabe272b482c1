import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Step, stepsOf } from '../../src/batch/apply.js';
import { compileProbe, observe, parseProbe, snippetsFor } from '../../src/batch/probe.js';
import { diff, kindOf } from '../../src/plan/diff.js';
import { kinds } from '../../src/resource/index.js';
import { type Change, keyOf, type Resource } from '../../src/resource/kind.js';
import { raw, type Script, sh } from '../../src/shell/index.js';
import { type HostShell, must, type ShellAnswer } from './host-shell.js';

/** One resource to put through the contract. */
export interface ContractCase {
  readonly name: string;
  readonly resource: Resource;
  /** Shell text that makes the start state; it may run many times. */
  readonly start: string;
  /** Shell text that removes everything that the case made. */
  readonly end?: string;
  /** What is broken, how, and the fields in which that must show. */
  readonly drifts?: readonly { readonly how: string; readonly fields: readonly string[] }[];
  /** Paths below which nothing temporary may stay, and nothing may change by looking. */
  readonly watch: readonly string[];
  /** Kill the apply before each command that it starts. False where that takes minutes. */
  readonly kills?: boolean;
}

const SALT = 'c0ntract';

/**
 * What every kind must keep, on a real host: from nothing it converges in one apply, the second look
 * finds nothing, drift shows as itself and is mended, looking changes nothing, and an apply killed
 * at any moment is completed by the next one and leaves nothing behind.
 */
export function describeKind(shell: () => HostShell, cases: readonly ContractCase[]): void {
  describe.each(cases)('$name', (one) => {
    const fields = () => differingFields(shell(), one.resource);
    beforeAll(() => must(shell(), one.start));
    afterAll(() => must(shell(), one.end ?? ':'));

    it('converges in one apply, and is silent after it', async () => {
      expect(await fields()).not.toEqual([]);
      await converge(shell(), one.resource);
      expect(await fields()).toEqual([]);
    });

    it('shows each drift as what it is, and mends it', async () => {
      for (const { how, fields: expected } of one.drifts ?? []) {
        await must(shell(), how);
        expect(await fields(), how).toEqual(expected);
        await converge(shell(), one.resource);
        expect(await fields(), how).toEqual([]);
      }
    });

    it('changes nothing by looking', async () => {
      const before = await listing(shell(), one.watch);
      await fields();
      expect(await listing(shell(), one.watch)).toBe(before);
      await must(shell(), one.start);
      const without = await listing(shell(), one.watch);
      await fields();
      expect(await listing(shell(), one.watch)).toBe(without);
    });

    it.skipIf(one.kills === false)('is completed after a kill at any moment', async () => {
      await must(shell(), one.start);
      const wanted = await change(shell(), one.resource);
      for (let step = 1; ; step += 1) {
        const killed = await applyKilled(shell(), one.start, wanted, step);
        await converge(shell(), one.resource);
        const when = `killed before command ${String(step)}`;
        expect(await fields(), when).toEqual([]);
        expect(await leftovers(shell(), one.watch), when).toBe('');
        if (!killed) break;
      }
    });
  });
}

/** The fields in which a resource is not as wanted, as the planner sees it. */
export async function differingFields(shell: HostShell, resource: Resource): Promise<string[]> {
  const found = await changes(shell, [resource]);
  return found.flatMap((c) => c.differences.map((d) => d.field));
}

/** What the planner wants done, from one look by the real probe. */
export async function changes(
  shell: HostShell,
  resources: readonly Resource[],
): Promise<readonly Change[]> {
  const nonce = 'n0nce';
  const probe = compileProbe(snippetsFor(resources, kinds, SALT), nonce);
  const answer = await shell(probe.render());
  const outputs = parseProbe(answer.stdout, nonce);
  if (outputs === undefined) throw new Error(`the probe was cut: ${answer.stderr}`);
  const observed = observe(resources, outputs, kinds);
  const declaration = { host: 'host', stages: [{ stage: 'base', resources }] } as const;
  return diff(declaration, observed, kinds, SALT).stages.flatMap((s) => s.changes);
}

/** Applies what differs in the engine's steps, and gives what was printed. */
export async function converge(
  shell: HostShell,
  ...resources: readonly Resource[]
): Promise<string> {
  let printed = '';
  for (const step of stepsOf(await changes(shell, resources), kinds)) {
    const answer = await runStep(shell, step);
    if (answer.code !== 0) {
      throw new Error(`${step.keys.join(' ')}: ${answer.stdout}${answer.stderr}`);
    }
    printed += answer.stdout;
  }
  return printed;
}

/** Applies what differs in one resource, whatever comes of it. */
export async function tryToConverge(shell: HostShell, resource: Resource): Promise<ShellAnswer> {
  const [step] = stepsOf(await changes(shell, [resource]), kinds);
  if (step === undefined) throw new Error(`${keyOf(resource)} is as wanted`);
  return runStep(shell, step);
}

function runStep(shell: HostShell, step: Step): Promise<ShellAnswer> {
  return shell(sh`umask 077; printf '%s' '${encoded(step.script)}' | base64 -d | sh -eus`.render());
}

async function change(shell: HostShell, resource: Resource): Promise<Change> {
  const [wanted] = await changes(shell, [resource]);
  if (wanted === undefined) throw new Error(`${keyOf(resource)} is as wanted from the start`);
  return wanted;
}

function encoded(script: Script): Script {
  const whole = sh`apply() {
${script}
}
apply </dev/null
`;
  return raw(Buffer.from(whole.render()).toString('base64'));
}

const KILLER = '/run/odoo-prov-test-killer';

/**
 * Makes the start state and runs an apply whose whole process group is killed when it starts its Nth command: each program of the
 * host is shadowed by one that counts.
 * @returns whether it came to that
 */
async function applyKilled(
  shell: HostShell,
  start: string,
  wanted: Change,
  step: number,
): Promise<boolean> {
  const answer = await shell(
    sh`
${raw(start)}
rm -rf ${KILLER}; mkdir -p ${KILLER}/bin; echo 0 > ${KILLER}/count
cat > ${KILLER}/counted <<'SHIM'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
if [ "$1" = show ]; then exec systemctl "$@"; fi
read -r count < ${KILLER}/count
count=$((count + 1))
echo "$count" > ${KILLER}/count
if [ "$count" -ge "$KILL_AT" ]; then kill -KILL -"$(cat ${KILLER}/group)"; fi
exec "${raw('${0##*/}')}" "$@"
SHIM
chmod 755 ${KILLER}/counted
for program in ${SHADOWED}; do ln -s ../counted ${KILLER}/bin/"$program"; done
printf '%s' '${encoded(kindOf(kinds, wanted.resource).apply(wanted))}' | base64 -d > ${KILLER}/script
KILL_AT=${step} PATH=${KILLER}/bin:/usr/sbin:/usr/bin:/sbin:/bin setsid /bin/sh -c \
  ${`echo $$ > ${KILLER}/group; exec /bin/sh -eus < ${KILLER}/script`} >${KILLER}/output 2>&1 &
wait $! && echo whole || { echo "ended with $?"; cat ${KILLER}/output; }
rm -rf ${KILLER}`.render(),
  );
  if (!/^(whole|ended with 137)$/m.test(answer.stdout))
    throw new Error(answer.stdout + answer.stderr);
  return !/^whole$/m.test(answer.stdout);
}

/**
 * The programs with which basic kinds change something. Between two of them a kill finds the same state
 * wherever it comes, so those that only look need not be counted.
 */
const SHADOWED = [
  ...['base64', 'chmod', 'chown', 'cp', 'groupadd', 'groupmod', 'ln', 'mkdir', 'mount', 'mv', 'rm'],
  ...['sync', 'systemctl', 'touch', 'umount', 'useradd', 'usermod'],
];

/** Without the change times of directories: overlayfs alters them when it reads. */
async function listing(shell: HostShell, paths: readonly string[]): Promise<string> {
  return must(
    shell,
    sh`find ${paths} '(' -type d -printf '%p %y %m %u %g %T@\n' -o -printf '%p %y %m %u %g %s %T@ %C@ %l\n' ')' |
  sort`.render(),
  );
}

async function leftovers(shell: HostShell, paths: readonly string[]): Promise<string> {
  return must(shell, sh`find ${paths} -name '.*odoo-prov.*' 2>/dev/null || :`.render());
}
