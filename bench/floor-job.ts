/** One host's work in a floor: everything that is needed, nothing left to look up. */
export interface FloorJob {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Path of the private key. */
  readonly key: string;
  /** The host keys that are accepted, in base64. */
  readonly hostKeys: readonly string[];
  readonly command: string;
}

/** What the floor's program prints: one for each host. */
export interface FloorAnswer {
  readonly name: string;
  readonly code: number | null;
  readonly output: string;
}
