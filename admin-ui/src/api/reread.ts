import type { QueryClient, QueryKey } from '@tanstack/react-query';

/**
 * Has what is shown under these keys read again after a change. Nobody waits for it: the new data may take away the very
 * component that made the change, and what it was to do next with it.
 */
export function reread(queries: QueryClient, ...keys: QueryKey[]): void {
  for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
}
