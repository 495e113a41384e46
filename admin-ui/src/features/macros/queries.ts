import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { Macro, MacroInput, MacroResult, MacroTest } from '@/api/types';

/** The most that one answer holds; nobody has more. */
const ALL = 1000;

export const macrosQuery = queryOptions({
  queryKey: ['macros'],
  queryFn: ({ signal }) => api.get<Macro[]>('/macros', { query: { limit: ALL }, signal }),
});

export function useSaveMacro(id: number | null) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: MacroInput) => (id === null ? api.post<Macro>('/macros', input) : api.put<Macro>(`/macros/${id}`, input)),
    onSuccess: () => reread(queries, ['macros']),
  });
}

export function useDeleteMacro() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => api.delete(`/macros/${id}`),
    onSuccess: () => reread(queries, ['macros']),
  });
}

export function useTestMacro(id: number) {
  return useMutation({ mutationFn: (input: MacroTest) => api.post<MacroResult>(`/macros/${id}/test`, input) });
}
