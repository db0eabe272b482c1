import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** One line of `--json`, as far as the tests read it. */
export interface JsonEvent {
  readonly type: string;
  readonly host?: string;
  readonly pass?: number;
  readonly key?: string;
  readonly ok?: boolean;
  readonly changes?: readonly { readonly key: string; readonly confirm: boolean }[];
  readonly failure?: {
    readonly reason: string;
    readonly message: string;
    readonly found?: string;
    readonly remedy?: string;
  };
  readonly leftOver?: readonly string[];
  readonly check?: string;
  readonly detail?: string;
  readonly recap?: JsonRecap;
}

/** The recap of a host, or of the run. */
export interface JsonRecap {
  readonly changed: number;
  readonly failed: number;
  readonly unreachable: boolean | number;
  readonly skipped?: number;
  readonly wire?: { readonly connections: number; readonly execs: number };
  readonly exitCode?: number;
}

export interface ProgramEnd {
  /** The exit code; the signal that ended it otherwise. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed. */
  readonly events: readonly JsonEvent[];
}

export interface ProgramOptions {
  /** Gets each event of `--json` as it comes; `kill` is SIGKILL if no other signal is given. */
  readonly onEvent?: (event: JsonEvent, kill: (signal?: NodeJS.Signals) => void) => void;
  /** It gets SIGKILL as soon as what it has printed matches. */
  readonly killAt?: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
  /** What it reads on standard input; nothing if not given. */
  readonly input?: string;
}

/** Compiles the program where a source is newer than what is there. */
export function buildProgram(): void {
  execFileSync('sh', [join(repositoryRoot, 'scripts/build.sh')], { stdio: 'inherit' });
}

/** Runs the real command line as a process of its own and waits for its end. */
export function odooProv(
  words: readonly string[],
  { onEvent, killAt, environment, input }: ProgramOptions = {},
): Promise<ProgramEnd> {
  const program = join(repositoryRoot, 'bin/odoo-prov');
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const events: JsonEvent[] = [];
  let [stdout, stderr, line] = ['', '', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    if (killAt?.test(stdout) === true) child.kill('SIGKILL');
    const lines = (line + chunk).split('\n');
    line = lines.pop() ?? '';
    for (const text of lines.filter((each) => each.startsWith('{"type":'))) {
      const event = JSON.parse(text) as JsonEvent;
      events.push(event);
      onEvent?.(event, (signal = 'SIGKILL') => child.kill(signal));
    }
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code: code ?? signal ?? -1, stdout, stderr, events });
    });
  });
}

/** What it printed, for the message of a test that fails: failures first, they must not be lost in a cut log. */
export function printed({ code, stdout, stderr, events }: ProgramEnd): string {
  const failures = events.filter(
    ({ type, ok }) => type === 'host-failed' || (type === 'verify-checked' && ok === false),
  );
  const said = failures.length > 0 ? failures.map((event) => JSON.stringify(event)) : [stdout];
  return `ended with ${String(code)}\n${said.join('\n').slice(-3000)}\n${stderr.slice(-3000)}`;
}

/** The whole run's recap. */
export function recapOf(end: ProgramEnd): JsonRecap {
  const recap = end.events.find(({ type }) => type === 'run-done')?.recap;
  if (recap === undefined) throw new Error(`no recap: it ${printed(end)}`);
  return recap;
}

/** The recap of each host, by name. */
export function hostRecaps(end: ProgramEnd): Readonly<Record<string, JsonRecap>> {
  return Object.fromEntries(
    end.events.flatMap(({ type, host, recap }) =>
      type === 'host-done' && host !== undefined && recap !== undefined ? [[host, recap]] : [],
    ),
  );
}
