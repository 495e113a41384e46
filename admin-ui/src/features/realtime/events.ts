/** The bounded list of what came in, and what waits while the list is paused. */

export const LIMIT = 500;

export interface LiveEvent {
  /** Counts up in this tab; the server's own position is `cursor`. */
  number: number;
  collection: string;
  operation: string;
  recordId: string;
  accountId: string;
  timestamp: string;
  frame: Record<string, unknown>;
  /** The frame as text, for the filter. */
  text: string;
}

export interface LiveState {
  events: LiveEvent[];
  held: LiveEvent[];
  paused: boolean;
  received: number;
}

export type LiveAction =
  | { type: 'arrived'; frames: Record<string, unknown>[] }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'clear' };

export const INITIAL: LiveState = { events: [], held: [], paused: false, received: 0 };

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function eventOf(frame: Record<string, unknown>, number: number): LiveEvent {
  const [collection = '', operation = ''] = text(frame.type).split('.');
  const data = typeof frame.data === 'object' && frame.data !== null ? (frame.data as Record<string, unknown>) : {};
  return {
    number,
    collection: text(frame.collection) || collection,
    operation: text(frame.operation) || operation,
    recordId: text(frame.id) || text(data.id),
    accountId: text(frame.account_id) || text(data.account_id),
    timestamp: text(frame.timestamp),
    frame,
    text: JSON.stringify(frame).toLowerCase(),
  };
}

/** Newest first. */
function prepend(fresh: LiveEvent[], old: LiveEvent[]): LiveEvent[] {
  return [...fresh, ...old].slice(0, LIMIT);
}

export function reduce(state: LiveState, action: LiveAction): LiveState {
  switch (action.type) {
    case 'arrived': {
      const fresh = action.frames.map((frame, index) => eventOf(frame, state.received + index + 1)).reverse();
      const received = state.received + fresh.length;
      return state.paused
        ? { ...state, received, held: prepend(fresh, state.held) }
        : { ...state, received, events: prepend(fresh, state.events) };
    }
    case 'pause':
      return { ...state, paused: true };
    case 'resume':
      return { ...state, paused: false, held: [], events: prepend(state.held, state.events) };
    case 'clear':
      return { ...state, events: [], held: [] };
  }
}

export interface EventFilter {
  /** Any, if none is named. */
  operations: string[];
  /** Anywhere in the frame. */
  text: string;
  account?: string;
}

export function matches(event: LiveEvent, { operations, text, account }: EventFilter): boolean {
  if (operations.length > 0 && !operations.includes(event.operation)) return false;
  if (account !== undefined && event.accountId !== account) return false;
  return event.text.includes(text.toLowerCase());
}
