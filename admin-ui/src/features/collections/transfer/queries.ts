import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { CollectionExport, ImportResult, ImportStrategy } from '@/api/types';
import { download } from '@/ui/download';

/** Hands the definitions to the person as a file; without ids, all of them. */
export function useExportCollections() {
  return useMutation({
    mutationFn: async ({ ids, name }: { ids?: string[]; name: string }) => {
      const data = await api.get<CollectionExport>('/collections/export', { query: { collection_ids: ids?.join(',') } });
      download(`${name}.collections.json`, 'application/json', [`${JSON.stringify(data, null, 2)}\n`]);
    },
  });
}

export function useImportCollections() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: { data: CollectionExport; strategy: ImportStrategy }) => api.post<ImportResult>('/collections/import', input),
    onSuccess: () => reread(queries, ['collections'], ['rules']),
  });
}
