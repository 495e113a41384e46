/** What the server has against a definition while it is typed, in its own words; nothing is stored. */
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { FieldErrors } from '@/api/errors';
import type { DefinitionProblems } from '@/api/types';
import type { FieldDraft } from '@/features/field-types/draft';
import { definitionOf, renamesOf } from './schema-form';

const PAUSE = 350;

export interface LiveProblems {
  fields: FieldErrors;
  /** The keys of the drafts in the order in which they were asked about. */
  keys: string[];
}

const NONE: LiveProblems = { fields: {}, keys: [] };

/** What is not filled in yet is no mistake until it is sent. */
export function worthSaying({ problems }: DefinitionProblems, drafts: Pick<FieldDraft, 'name' | 'stored'>[]): FieldErrors {
  const fields: FieldErrors = {};
  for (const { field, code, message } of problems) {
    // A new name is the business of the field that has it.
    const renamed = drafts.findIndex(({ stored }) => stored && field === `rename.${stored.name}`);
    const path = renamed < 0 ? field : `schema[${renamed}].name`;
    const draft = drafts[Number(/^schema\[(\d+)\]/.exec(path)?.[1] ?? -1)];
    if (code.endsWith('_required') || code === 'missing' || draft?.name.trim() === '') continue;
    (fields[path] ??= []).push(message);
  }
  return fields;
}

interface Options {
  /** Of a new collection. */
  name?: string;
  /** The one that is changed. */
  collection?: string;
  drafts: FieldDraft[];
  enabled: boolean;
}

export function useLiveProblems({ name, collection, drafts, enabled }: Options): LiveProblems {
  const rename = collection === undefined ? null : renamesOf(drafts);
  const body = JSON.stringify({ ...(name !== undefined && { name: name.trim() }), fields: drafts.map(definitionOf), ...(rename && { rename }) });
  const [asked] = useDebouncedValue(body, PAUSE);
  const keys = drafts.map((draft) => draft.key);
  const { data } = useQuery({
    queryKey: ['collections', 'problems', collection ?? null, asked],
    queryFn: async ({ signal }): Promise<LiveProblems> => {
      const told = await api.post<DefinitionProblems>('/admin/collections/validate', JSON.parse(asked), { query: { collection }, signal });
      return { fields: worthSaying(told, drafts), keys };
    },
    enabled: enabled && asked === body,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 0,
  });
  return enabled && data ? data : NONE;
}
