import { useQuery } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { AggregateResult, FieldDefinition } from '@/api/types';
import { valueType } from '@/features/field-types/registry';
import { formatNumber } from '@/ui/format';
import { type ListQuery, recordPath } from './queries';

interface Props {
  collection: string;
  field: FieldDefinition | undefined;
  list: ListQuery;
}

const FUNCTIONS = ['sum', 'avg', 'min', 'max'] as const;
const LABELS = { sum: 'Sum', avg: 'Average', min: 'Min', max: 'Max' };
const DIGITS = 2;

/** Over all records of the list, not only those that are loaded: what the numbers of a column come to. */
export function ColumnSummary({ collection, field, list }: Props) {
  const numeric = field !== undefined && valueType(field).numeric === true && !field.expression && !field.encrypted;
  const name = field?.name ?? '';
  const { filter, search } = list;
  const sums = useQuery({
    queryKey: ['records', collection, 'few', 'sums', name, filter, search],
    queryFn: ({ signal }) =>
      api.get<AggregateResult>(`${recordPath(collection)}/aggregate`, {
        query: { functions: FUNCTIONS.map((key) => `${key}(${name})`).join(','), filter: filter || undefined, search },
        signal,
      }),
    enabled: numeric,
    staleTime: 30_000,
    retry: false,
  });
  const result = sums.data?.results[0] as Record<string, unknown> | undefined;
  if (!numeric || !result) return null;
  return (
    <span className="tabular" role="group" aria-label={`Figures of ${name}`}>
      <span className="mono">{name}</span>
      {FUNCTIONS.map((key) => {
        const value = result[`${key}_${name}`];
        return typeof value === 'number' ? ` · ${LABELS[key]} ${formatNumber(Number(value.toFixed(DIGITS)))}` : null;
      })}
    </span>
  );
}
