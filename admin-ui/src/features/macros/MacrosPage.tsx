import { Button, Group, Modal } from '@mantine/core';
import { IconFunction, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Macro } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { TimeText } from '@/ui/TimeText';
import { MacroForm } from './MacroForm';
import { MacroTester } from './MacroTester';
import { callOf } from './parameters';
import { macrosQuery, useDeleteMacro } from './queries';

type Doing = { what: 'edit' | 'try' | 'delete'; macro: Macro } | { what: 'create' } | null;

/** Queries with a name, which rules can call. */
export function MacrosPage() {
  const macros = useQuery(macrosQuery);
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  const columns: Column<Macro>[] = [
    { key: 'name', header: 'In rules', cell: ({ name, parameters }) => <span className="mono">{callOf(name, parameters)}</span> },
    { key: 'query', wide: true, header: 'Query', cell: ({ sql_query }) => <span className="mono" title={sql_query}>{sql_query}</span> },
    { key: 'description', wide: true, header: 'Description', cell: ({ description }) => (description === '' ? '–' : (description ?? '–')) },
    { key: 'updated_at', wide: true, header: 'Changed', cell: ({ updated_at }) => <TimeText value={updated_at} /> },
    {
      key: 'actions',
      header: '',
      cell: (macro) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button variant="subtle" size="compact-sm" aria-label={`Try ${macro.name}`} onClick={() => setDoing({ what: 'try', macro })}>
            Try
          </Button>
          <Button variant="subtle" size="compact-sm" aria-label={`Edit ${macro.name}`} onClick={() => setDoing({ what: 'edit', macro })}>
            Edit
          </Button>
          <Button variant="subtle" color="red" size="compact-sm" aria-label={`Delete ${macro.name}`} onClick={() => setDoing({ what: 'delete', macro })}>
            Delete
          </Button>
        </Group>
      ),
    },
  ];
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setDoing({ what: 'create' })}>
      Create macro
    </Button>
  );
  return (
    <Page crumbs={[{ label: 'Macros' }]} action={create} flush>
      <DataTable
        label="Macros"
        columns={columns}
        rows={macros.data}
        rowKey={({ id }) => id}
        minWidth={860}
        error={macros.error}
        onRetry={() => void macros.refetch()}
      />
      {macros.data?.length === 0 && (
        <EmptyState icon={<IconFunction size={32} stroke={1.5} />} title="No macros yet">
          A macro is a query with a name: rules ask it for one value out of other records, such as whether somebody is a member.
        </EmptyState>
      )}
      {doing?.what === 'create' && (
        <Modal opened onClose={close} title="New macro" size="lg">
          <MacroForm macro={null} onDone={close} />
        </Modal>
      )}
      {doing?.what === 'edit' && (
        <Modal opened onClose={close} title={`Edit ${doing.macro.name}`} size="lg">
          <MacroForm macro={doing.macro} onDone={close} />
        </Modal>
      )}
      {doing?.what === 'try' && (
        <Modal opened onClose={close} title={`Try ${callOf(doing.macro.name, doing.macro.parameters)}`}>
          <MacroTester macro={doing.macro} />
        </Modal>
      )}
      {doing?.what === 'delete' && <DeleteMacro macro={doing.macro} onDone={close} />}
    </Page>
  );
}

function DeleteMacro({ macro, onDone }: { macro: Macro; onDone: () => void }) {
  const remove = useDeleteMacro();
  return (
    <ConfirmDialog
      opened
      title={<>Delete the macro <em>{macro.name}</em>?</>}
      confirm="Delete macro"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(macro.id, { onSuccess: onDone })}
      onClose={onDone}
    >
      One that a rule calls cannot be deleted.
    </ConfirmDialog>
  );
}
