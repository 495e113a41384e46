import { Button, Group, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatNumber, plural } from '@/ui/format';
import type { Selection } from '../grid/use-selection';
import type { ListQuery } from '../queries';
import { walkRecords } from '../transfer/export-rows';
import { BulkDelete } from './BulkDelete';

const BulkEdit = lazy(() => import('./BulkEdit').then((module) => ({ default: module.BulkEdit })));

interface Props {
  collection: string;
  fields: FieldDefinition[];
  list: ListQuery;
  total: number;
  selection: Selection;
  deleting: boolean;
  onDeleting: (asking: boolean) => void;
}

export function BulkBar({ collection, fields, list, total, selection, deleting, onDeleting }: Props) {
  const [editing, setEditing] = useState(false);
  const all = useMutation({
    mutationFn: async () => {
      const ids: string[] = [];
      const signal = new AbortController().signal;
      await walkRecords({ collection, ...list, fields: ['id'], signal, onPage: (rows) => ids.push(...rows.map((row) => row.id)) });
      selection.set(ids);
    },
  });
  const count = selection.ids.length;
  if (count === 0) return null;
  return (
    <Group px="md" py={6} gap="xs" bg="var(--sb-accent-soft)" role="region" aria-label="Selected records">
      <Text fw={500} className="tabular" role="status">
        {plural(count, 'record')} selected
      </Text>
      <Button size="compact-sm" variant="default" onClick={() => setEditing(true)}>
        Edit a field
      </Button>
      <Button size="compact-sm" variant="outline" color="red" bg="var(--mantine-color-body)" onClick={() => onDeleting(true)}>
        Delete
      </Button>
      {total > count && (
        <Button size="compact-sm" variant="default" loading={all.isPending} onClick={() => all.mutate()}>
          Select all {formatNumber(total)}
        </Button>
      )}
      <Button size="compact-sm" variant="default" onClick={() => selection.set([])}>
        Clear selection
      </Button>
      <ErrorPanel error={all.error} />
      <BulkDelete collection={collection} selection={selection} opened={deleting} onClose={() => onDeleting(false)} />
      <Suspense>
        {editing && <BulkEdit collection={collection} fields={fields} selection={selection} onClose={() => setEditing(false)} />}
      </Suspense>
    </Group>
  );
}
