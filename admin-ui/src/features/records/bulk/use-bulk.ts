import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api } from '@/api/client';
import { recordPath, refreshRecords } from '../queries';
import { inBatches, type Outcome } from '../transfer/chunks';

/** One request for up to a hundred records, as many as it takes. */
function useBulk<Input extends { ids: string[] }>(collection: string, send: (ids: string[], input: Input) => Promise<unknown>) {
  const queries = useQueryClient();
  const [handled, setHandled] = useState(0);
  const controller = useRef<AbortController | null>(null);
  const job = useMutation({
    mutationFn: (input: Input): Promise<Outcome<string>> => {
      const stopping = new AbortController();
      controller.current = stopping;
      setHandled(0);
      return inBatches({ items: input.ids, send: (ids) => send(ids, input), onProgress: setHandled, signal: stopping.signal });
    },
    onSettled: () => refreshRecords(queries, collection),
  });
  return { ...job, handled, stop: () => controller.current?.abort() };
}

export const useBulkDelete = (collection: string) =>
  useBulk<{ ids: string[] }>(collection, (ids) => api.delete(`${recordPath(collection)}/batch`, { body: { ids } }));

export const useBulkEdit = (collection: string) =>
  useBulk<{ ids: string[]; data: Record<string, unknown> }>(collection, (ids, { data }) =>
    api.patch(`${recordPath(collection)}/batch`, { records: ids.map((id) => ({ id, data })) }),
  );
