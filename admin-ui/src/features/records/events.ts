/** How what a subscription tells gets into lists that were read. */
import type { QueryClient } from '@tanstack/react-query';

/** One event of a collection. */
export interface RecordEvent {
  operation?: unknown;
  id?: unknown;
  data?: unknown;
}

/** When a subscription stands: what was read before, or is being read, may be older than what it tells. */
export async function catchUp(queries: QueryClient, queryKey: readonly unknown[]): Promise<void> {
  await queries.cancelQueries({ queryKey });
  await queries.invalidateQueries({ queryKey });
}

/**
 * Hands events over together, every so many milliseconds, but not while a list is on its way: that may be older, and would
 * take the place of what they tell.
 */
export function gatherEvents(queries: QueryClient, queryKey: readonly unknown[], every: number, take: (events: RecordEvent[]) => void) {
  let waiting: RecordEvent[] = [];
  const timer = setInterval(() => {
    if (waiting.length === 0 || queries.isFetching({ queryKey }) > 0) return;
    const events = waiting;
    waiting = [];
    take(events);
  }, every);
  return {
    push: (event: RecordEvent) => {
      waiting.push(event);
    },
    stop: () => clearInterval(timer),
  };
}
