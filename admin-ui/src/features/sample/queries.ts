import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { Collection } from '@/api/types';
import { SAMPLE, SAMPLE_NAME, SAMPLE_RECORDS } from './sample';

export async function createSample(): Promise<void> {
  await api.post<Collection>('/collections', SAMPLE);
  await api.post(`/records/${SAMPLE_NAME}/batch`, { records: SAMPLE_RECORDS });
}

/** `onCreated` belongs to the hook: the first list that is read again takes the offer away, and a callback given to `mutate` with it. */
export function useCreateSample(onCreated: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: createSample,
    onSuccess: () => {
      onCreated();
      reread(queries, ['collections']);
    },
  });
}
