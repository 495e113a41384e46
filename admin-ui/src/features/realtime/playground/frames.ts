/** What went over the line: bounded, the newest first. */

export const LIMIT = 300;

/** `note` is what the playground itself has to say: opened, closed, refused. */
export type Direction = 'in' | 'out' | 'note';

export interface Frame {
  number: number;
  direction: Direction;
  /** Milliseconds since the epoch, in this browser. */
  at: number;
  /** As it was on the line. */
  text: string;
  /** The JSON in it, where it is JSON. */
  value?: unknown;
  /** What kind of frame it is, in a word. */
  kind: string;
}

export interface Arrival {
  direction: Direction;
  at: number;
  text: string;
}

/** Of server-sent events, the part that is data. */
function payload(text: string): string {
  const lines = text.split('\n').filter((line) => line.startsWith('data:'));
  return lines.length > 0 ? lines.map((line) => line.slice(5).trimStart()).join('\n') : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(payload(text)) as unknown;
  } catch {
    return undefined;
  }
}

function kindOf(direction: Direction, text: string, value: unknown): string {
  if (direction === 'note') return 'line';
  if (typeof value === 'object' && value !== null) {
    const { action, type, error } = value as Record<string, unknown>;
    const name = type ?? action ?? (error === undefined ? undefined : 'error');
    if (typeof name === 'string') return name;
  }
  if (text.startsWith(':')) return 'comment';
  return text.startsWith('id:') ? 'position' : 'text';
}

export function frameOf({ direction, at, text }: Arrival, number: number): Frame {
  const value = direction === 'note' ? undefined : parsed(text);
  return { number, direction, at, text, value, kind: kindOf(direction, text, value) };
}

export function added(frames: Frame[], arrivals: Arrival[]): Frame[] {
  const last = frames[0]?.number ?? 0;
  const fresh = arrivals.map((arrival, index) => frameOf(arrival, last + index + 1)).reverse();
  return [...fresh, ...frames].slice(0, LIMIT);
}

/** The newest place in the log that a frame told of: a subscription can go on after it. */
export function lastCursor(frames: Frame[]): string | null {
  for (const { direction, text, value } of frames) {
    if (direction !== 'in') continue;
    const cursor = typeof value === 'object' && value !== null ? (value as Record<string, unknown>).cursor : /^id: ?(.+)$/m.exec(text)?.[1];
    if (typeof cursor === 'string') return cursor;
  }
  return null;
}

/** What the server had against the filter of the latest subscription. */
export function filterRefusal(frames: Frame[]): string | null {
  for (const { direction, kind, value } of frames) {
    if (direction === 'out' && kind === 'subscribe') return null;
    if (direction !== 'in' || typeof value !== 'object' || value === null) continue;
    const { code, error } = value as Record<string, unknown>;
    if (code === 'invalid_filter' && typeof error === 'string') return error;
  }
  return null;
}
