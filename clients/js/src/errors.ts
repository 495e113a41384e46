/** A failed request or a refused realtime message. */
export class SnackBaseError extends Error {
  override readonly name = 'SnackBaseError';
  /** The HTTP status; 0 if there was no answer, or for realtime messages. */
  readonly status: number;
  /**
   * Kind of problem: `network` or `timeout` without an answer, the code of a realtime error such as `forbidden`,
   * otherwise the `error` label of the response body.
   */
  readonly code: string;
  /** Messages by field, for values that were refused. */
  readonly errors: Record<string, string[]>;
  /** The response body, if there was one. */
  readonly body: unknown;
  /** Seconds after which to try again, for status 429. */
  readonly retryAfter: number | undefined;

  constructor(message: string, details: { status?: number; code: string; body?: unknown; cause?: unknown }) {
    super(message, { cause: details.cause });
    this.status = details.status ?? 0;
    this.code = details.code;
    this.body = details.body;
    const fields = (details.body ?? {}) as { errors?: Record<string, string[]>; retryAfter?: number };
    this.errors = fields.errors ?? {};
    this.retryAfter = fields.retryAfter;
  }

  /** Whether the same request may succeed later: no answer, a limit, or a server that is not well. */
  get isTemporary(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408 || ['network', 'timeout'].includes(this.code);
  }

  /** @internal */
  static fromResponse(status: number, body: unknown): SnackBaseError {
    const { message, error } = (body ?? {}) as { message?: string; error?: string };
    return new SnackBaseError(message ?? `HTTP ${status}`, { status, code: error ?? `http_${status}`, body });
  }

  /** @internal */
  static fromFrame(frame: { error?: string; code?: string }): SnackBaseError {
    return new SnackBaseError(frame.error ?? 'refused', { code: frame.code ?? 'unknown' });
  }
}
