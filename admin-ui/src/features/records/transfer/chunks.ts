/** Work on many records in batches, of which each is done whole or not at all; one bad record does not stop the others. */
import { ApiError, messageOf } from '@/api/errors';

export const BATCH = 100;
/** After so many refusals something is wrong with all of them. */
export const MOST_FAILURES = 500;

export interface Failure<T> {
  item: T;
  message: string;
}

export interface Outcome<T> {
  done: number;
  failures: Failure<T>[];
  stopped: boolean;
}

interface Options<T> {
  items: T[];
  /** Sends up to `BATCH` items in one request. */
  send: (items: T[]) => Promise<unknown>;
  onProgress: (handled: number) => void;
  signal: AbortSignal;
  /** How many are sent at once. */
  size?: number;
}

/** The errors of a server that can be reached, about these very records. */
function blames(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 403, 413, 429].includes(error.status);
}

/** Sends in batches; from a refused one the record to blame is taken out and the rest is sent again. */
export async function inBatches<T>({ items, send, onProgress, signal, size = BATCH }: Options<T>): Promise<Outcome<T>> {
  const outcome: Outcome<T> = { done: 0, failures: [], stopped: false };
  for (let start = 0; start < items.length; start += size) {
    let rest = items.slice(start, start + size);
    while (rest.length > 0) {
      if (signal.aborted || outcome.failures.length >= MOST_FAILURES) return { ...outcome, stopped: true };
      try {
        await send(rest);
        outcome.done += rest.length;
        rest = [];
      } catch (error) {
        if (!blames(error)) throw error;
        // Without a word about which one it was, the first half is tried alone.
        const at = error.index;
        if (at === null && rest.length > 1) {
          const half = await inBatches({ items: rest.slice(0, Math.ceil(rest.length / 2)), send, onProgress: () => undefined, signal });
          outcome.done += half.done;
          outcome.failures.push(...half.failures);
          rest = rest.slice(Math.ceil(rest.length / 2));
        } else {
          const [item] = rest.splice(at ?? 0, 1);
          if (item === undefined) throw error;
          outcome.failures.push({ item, message: messageOf(error) });
        }
      }
      onProgress(outcome.done + outcome.failures.length);
    }
  }
  return outcome;
}
