/** Turns every error body of the server into one shape that the UI can show in place. */

export type FieldErrors = Record<string, string[]>;

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly label: string | null;
  readonly correlationId: string | null;
  readonly fields: FieldErrors;
  /** Of a refused batch: which item it is about, from 0. */
  readonly index: number | null;

  constructor(init: {
    status: number;
    message: string;
    label?: string | null;
    correlationId?: string | null;
    fields?: FieldErrors;
    index?: number | null;
  }) {
    super(init.message);
    this.status = init.status;
    this.label = init.label ?? null;
    this.correlationId = init.correlationId ?? null;
    this.fields = init.fields ?? {};
    this.index = init.index ?? null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function add(fields: FieldErrors, field: string, message: string): void {
  const list = (fields[field] ??= []);
  if (!list.includes(message)) list.push(message);
}

/** `details[]` carries the finest paths (`schema[0].name`), so it wins over the `errors` map. */
function fieldErrors(body: Record<string, unknown>): FieldErrors {
  const fields: FieldErrors = {};
  if (Array.isArray(body.details)) {
    for (const entry of body.details) {
      if (!isObject(entry)) continue;
      const field = text(entry.field);
      const message = text(entry.message) ?? text(entry.code);
      if (field && message) add(fields, field, message);
    }
  }
  if (Object.keys(fields).length === 0 && Array.isArray(body.detail)) {
    for (const entry of body.detail) {
      if (!isObject(entry) || !Array.isArray(entry.loc)) continue;
      const path = entry.loc.filter((part, index) => index > 0 && typeof part === 'string').join('.');
      const message = text(entry.msg);
      if (path && message) add(fields, path, message);
    }
  }
  if (Object.keys(fields).length === 0 && isObject(body.errors)) {
    for (const [field, messages] of Object.entries(body.errors)) {
      if (!Array.isArray(messages)) continue;
      for (const message of messages) if (typeof message === 'string') add(fields, field, message);
    }
  }
  const single = text(body.field);
  const message = text(body.message);
  if (Object.keys(fields).length === 0 && single && message) add(fields, single, message);
  return fields;
}

export function parseError(status: number, body: unknown, correlationId: string | null): ApiError {
  const fallback = `The server answered ${status}.`;
  if (!isObject(body)) {
    return new ApiError({ status, message: text(body)?.slice(0, 300) ?? fallback, correlationId });
  }
  return new ApiError({
    status,
    message: text(body.message) ?? text(body.detail) ?? text(body.error) ?? fallback,
    label: text(body.error),
    correlationId,
    fields: fieldErrors(body),
    index: typeof body.index === 'number' ? body.index : null,
  });
}

/** Several messages after one another; one alone stays as the server put it. */
function sentences(messages: string[]): string | undefined {
  if (messages.length < 2) return messages[0];
  return messages.map((message) => (/[.!?]$/.test(message) ? message : `${message}.`)).join(' ');
}

/** The message of one form control, or undefined when the server had nothing against it. */
export function fieldMessage(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  return sentences(error.fields[field] ?? []);
}

export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return 'Something went wrong.';
}
