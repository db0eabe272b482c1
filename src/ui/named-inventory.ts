import { Failure } from '../failure/failure.js';
import { quote } from '../shell/index.js';

/**
 * A text with the commands that it advises made ready to be pasted: `odoo-prov apply FILE` names the inventory.
 * @param file the inventory as it was given on the command line
 */
export function nameInventory(text: string, file: string): string {
  return text.replaceAll(/(?<=\bodoo-prov(?: [a-z][a-z-]*)+ )FILE\b/g, () => quote(file));
}

/** The same of a failure's advice. */
export function nameInventoryOf(failure: Failure, file: string): Failure {
  const { details } = failure;
  return new Failure({ ...details, remedy: nameInventory(details.remedy, file) });
}
