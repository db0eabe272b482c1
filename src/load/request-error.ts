/** A request of a user that did not get what it asked for. */
export class RequestError extends Error {
  /** `HTTP 502`, `timeout`, `session lost`, or the name of Odoo's exception: for the report, never secret. */
  readonly code: string;
  /** Whether the request left; one that did may have had its effect. */
  readonly sent: boolean;

  constructor(code: string, { sent }: { readonly sent: boolean }) {
    super(code);
    this.name = 'RequestError';
    this.code = code;
    this.sent = sent;
  }
}

/** Odoo does not know the session any more. */
export const SESSION_LOST = 'session lost';
