/** Mistakes in an inventory, as text ready to print: they are diagnostics with places, not one failure. */
export class MistakesError extends Error {
  override readonly name = 'MistakesError';
  /** The same for programs, one record each. */
  readonly records: readonly Readonly<Record<string, unknown>>[];

  constructor(text: string, records: readonly Readonly<Record<string, unknown>>[]) {
    super(text);
    this.records = records;
  }
}
