/** Mistakes in an inventory, as text ready to print: they are diagnostics with places, not one failure. */
export class MistakesError extends Error {
  override readonly name = 'MistakesError';
}
