/** What a user of the test asks Odoo for. */
export type RequestKind = 'login' | 'create' | 'read' | 'upload' | 'download' | 'signal' | 'page';

/** One request of a user, and what came of it; kept outside of the cluster. */
export interface UserRequest {
  /** The user's number. */
  readonly client: number;
  readonly kind: RequestKind;
  /** Of what creates something: its name. */
  readonly name?: string;
  /** `unknown`: it was sent, and no answer of Odoo's came: it may have had its effect. */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** Milliseconds since the scenario began. */
  readonly begun: number;
  readonly ended: number;
  /** The edge. */
  readonly through: string;
  /** `HTTP 502`, `session lost`, … */
  readonly error?: string;
}

/** A bus message that a listener got. */
export interface Received {
  readonly listener: number;
  readonly message: number;
  /** Milliseconds since the scenario began. */
  readonly at: number;
}

/** A job that was asked for, as the database has it at the end. */
export interface StoredJob {
  readonly job: number;
  readonly runs: number;
}
