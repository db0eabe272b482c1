/** Collects a stream's bytes, and hands out each complete line; a character is never split. */
export class LineSplitter {
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  #partial: Buffer[] = [];

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#onLine === undefined) return;
    let start = 0;
    // In UTF-8 the byte of a line feed is never part of another character.
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#partial.push(chunk.subarray(start, end));
      this.#hand();
      start = end + 1;
    }
    if (start < chunk.length) this.#partial.push(chunk.subarray(start));
  }

  /** Everything so far. */
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** Everything, after a last line without a line feed was handed out. Only for a stream that really ended. */
  end(): string {
    if (this.#partial.length > 0) this.#hand();
    return this.text();
  }

  #hand(): void {
    const line = Buffer.concat(this.#partial).toString('utf8');
    this.#partial = [];
    this.#onLine?.(line);
  }
}
