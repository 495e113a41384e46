import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { FieldDefinition, Rules, RulesPatch, TestRuleResponse, ValidateRuleResponse } from '@/api/types';
import type { Operation } from './rule-state';
import type { callerOf } from './tester';

const path = (name: string) => `/collections/${encodeURIComponent(name)}/rules`;

export const rulesQuery = (name: string) =>
  queryOptions({
    queryKey: ['rules', name],
    queryFn: ({ signal }) => api.get<Rules>(path(name), { signal }),
  });

/** `onSaved` belongs to the hook: saving remounts the form, which would drop a callback given to `mutate`. */
export function useSaveRules(name: string, onSaved: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (patch: RulesPatch) => api.put<Rules>(path(name), patch),
    onSuccess: (rules) => {
      onSaved();
      queries.setQueryData(rulesQuery(name).queryKey, rules);
      reread(queries, ['collections']);
    },
  });
}

/** The fields go with their types: whether `a = 1` is right depends on what `a` is. */
export const validationQuery = (rule: string, operation: Operation, fields: FieldDefinition[]) =>
  queryOptions({
    queryKey: ['rule-validation', operation, fields.map(({ name, type }) => `${name}:${type}`), rule],
    queryFn: ({ signal }) =>
      api.post<ValidateRuleResponse>('/rules/validate', { rule, operation, collectionFields: fields.map(({ name, type }) => ({ name, type })) }, { signal }),
    staleTime: 60_000,
  });

interface TestContext {
  auth: ReturnType<typeof callerOf>;
  record: unknown;
  data: unknown;
  fields: FieldDefinition[];
}

export function useTestRule() {
  return useMutation({
    mutationFn: (input: { rule: string; context: TestContext }) => api.post<TestRuleResponse>('/rules/test', input),
  });
}
