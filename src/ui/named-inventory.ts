import { Failure } from '../failure/failure.js';
import type { Value } from '../resource/kind.js';
import type { RunEvent } from '../run/event.js';
import { quote } from '../shell/index.js';

/**
 * A text with the commands that it advises made ready to be pasted: `odoo-prov apply FILE` names the inventory.
 * @param file the inventory as it was given on the command line
 */
export function nameInventory(text: string, file: string): string {
  return text.replaceAll(/(?<=\bodoo-prov(?: [a-z][a-z-]*)+ )FILE\b/g, () => quote(file));
}

/** The same of a failure: what was found, or printed on a host, may advise as well. */
export function nameInventoryOf(failure: Failure, file: string): Failure {
  const { message, expected, found, output, remedy } = failure.details;
  const texts = Object.entries({ message, expected, found, output, remedy }).flatMap(
    ([name, text]) => (text === undefined ? [] : [[name, nameInventory(text, file)] as const]),
  );
  return new Failure({ ...failure.details, ...Object.fromEntries(texts) });
}

/** The same of what happens in a run. What a file contains is left as it is. */
export function nameInventoryIn(event: RunEvent, file: string): RunEvent {
  const named = (text: string): string => nameInventory(text, file);
  const value = (one: Value): Value => (typeof one === 'string' ? named(one) : one);
  if (event.type === 'host-failed') {
    return { ...event, failure: nameInventoryOf(event.failure, file) };
  }
  if (event.type === 'host-planned') {
    const changes = event.changes.map((change) => ({
      ...change,
      differences: change.differences.map((one) => ({ ...one, have: value(one.have) })),
    }));
    return { ...event, changes };
  }
  if (event.type === 'resource-output') return { ...event, line: named(event.line) };
  if (event.type === 'stage-skipped') return { ...event, why: named(event.why) };
  if (event.type === 'verify-checked') return { ...event, detail: named(event.detail) };
  return event;
}
