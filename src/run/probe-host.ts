import { snippetsFor, type Output, type Snippet } from '../batch/probe.js';
import {
  databaseProbe,
  parseDatabases,
  parseRestoring,
  type FoundDatabase,
} from '../facts/database-facts.js';
import { factsProbe, parseFacts } from '../facts/host-facts.js';
import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { Declaration } from '../plan/collect.js';
import { resourcesOf } from '../plan/collect.js';
import { GIVEN_PATH, parseGiven, type Given } from '../plan/given.js';
import type { Kinds } from '../plan/diff.js';
import type { Facts } from '../role/role.js';
import { sh } from '../shell/index.js';
import type { Session } from '../transport/session.js';
import { runProbe } from './run-probe.js';

/** What a host said about itself, and the raw output of every snippet. */
export interface Answers {
  readonly facts: Facts;
  readonly given: readonly Given[];
  readonly databases: readonly FoundDatabase[];
  /** A restore in place has not come to its end here: to where it goes, empty where that is not known. Null: there is none. */
  readonly restoring: string | null;
  /** The exact text that was asked, and what it gave: an equal question has an equal answer. */
  readonly asked: ReadonlyMap<string, { readonly text: string; readonly output: Output }>;
}

const ALWAYS: readonly Snippet[] = [
  { name: 'facts', script: factsProbe() },
  { name: 'given', script: sh`[ ! -e ${GIVEN_PATH} ] || cat ${GIVEN_PATH}` },
  { name: 'databases', script: databaseProbe() },
];

/**
 * Asks a host for its facts and for the state of everything declared, in one exec. What `known` answers
 * already, word for word, is not asked again: usually nothing is left to ask.
 * @throws Failure of the transport; cut-answer; command-failed on a system that is not Debian 12 or 13
 */
export async function probeHost(
  session: Session,
  declaration: Declaration,
  kinds: Kinds,
  salt: string,
  known?: Answers,
): Promise<Answers> {
  const wanted = [...ALWAYS, ...snippetsFor(resourcesOf(declaration), kinds, salt)];
  const open = wanted.filter((s) => known?.asked.get(s.name)?.text !== s.script.render());
  if (known !== undefined && open.length === 0) return known;

  const outputs = await runProbe(session, open, { limit: 120 });
  const asked = new Map(known?.asked);
  for (const { name, script } of open) {
    const output = outputs.get(name);
    if (output !== undefined) asked.set(name, { text: script.render(), output });
  }
  return { ...interpret(session.host, asked), asked };
}

/** The outputs by snippet name, as the observer reads them. */
export function outputsOf(answers: Answers): ReadonlyMap<string, Output> {
  return new Map([...answers.asked].map(([name, { output }]) => [name, output]));
}

function interpret(host: Host, asked: Answers['asked']): Omit<Answers, 'asked'> {
  const text = (name: string): string => asked.get(name)?.output.text ?? '';
  const facts = parseFacts(text('facts'), host);
  if (facts === undefined) {
    throw new Failure({
      reason: 'command-failed',
      host: host.name,
      message: 'this system cannot be set up',
      expected: 'Debian 12 or 13',
      found: text('facts').split('\n').slice(0, 2).join(', '),
      remedy: 'install Debian 13 on it, or take the host out of the inventory',
    });
  }
  return {
    facts,
    given: parseGiven(text('given')),
    databases: parseDatabases(text('databases')),
    restoring: parseRestoring(text('databases')),
  };
}
