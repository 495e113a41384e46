import { Box, Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { CopyText } from '@/ui/CopyText';
import { DangerPanel } from '@/ui/DangerPanel';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Form } from '@/ui/Form';
import { plural } from '@/ui/format';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { moveKept } from './kept';
import { collectionQuery, useDeleteCollection, useForgetCollection, useRenameCollection } from './queries';
import { useExportCollections } from './transfer/queries';

const route = getRouteApi('/app/collections/$name/settings');
const NAME = ['name'];

export function SettingsTab() {
  const { name } = route.useParams();
  const { data } = useSuspenseQuery(collectionQuery(name));
  return (
    <Stack p="md" gap="lg" maw={720}>
      <Group gap="4px 32px" c="dimmed" fz="sm">
        <span>
          Id <CopyText value={data.id} />
        </span>
        <span>
          Table <span className="mono">{data.table_name}</span>
        </span>
        <span>
          Created <TimeText value={data.created_at} />
        </span>
        <span>
          Changed <TimeText value={data.updated_at} />
        </span>
      </Group>
      <RenameSection key={name} id={data.id} name={name} />
      <CopySection id={data.id} name={name} />
      <DeleteSection name={name} records={data.records_count} />
    </Stack>
  );
}

function CopySection({ id, name }: { id: string; name: string }) {
  const exporting = useExportCollections();
  return (
    <Box className="sb-panel" p="md">
      <Group justify="space-between">
        <div style={{ flex: '1 1 260px' }}>
          <Title order={2}>Use its definition elsewhere</Title>
          <Text c="dimmed">Fields and rules, without records: as a new collection here, or as a file for another server.</Text>
        </div>
        <Group gap="xs">
          <Button variant="default" renderRoot={(props) => <Link to="/collections/new" search={{ from: name }} {...props} />}>
            Duplicate
          </Button>
          <Button variant="default" loading={exporting.isPending} onClick={() => exporting.mutate({ ids: [id], name })}>
            Export
          </Button>
        </Group>
      </Group>
      <ErrorPanel error={exporting.error} />
    </Box>
  );
}

function RenameSection({ id, name }: { id: string; name: string }) {
  const [text, setText] = useState(name);
  const navigate = useNavigate();
  const rename = useRenameCollection(id);
  const forget = useForgetCollection(name);
  const submit = () =>
    rename.mutate(text.trim(), {
      onSuccess: (collection) => {
        moveKept(name, collection.name);
        toast.done(`${name} is called ${collection.name} now.`);
        void navigate({ to: '/collections/$name/settings', params: { name: collection.name }, replace: true }).then(forget);
      },
    });
  return (
    <Box className="sb-panel" p="md">
      <Stack gap="sm">
        <div>
          <Title order={2}>Name</Title>
          <Text c="dimmed">
            Records, rules and references stay, and macros that read it follow. Its addresses change: programs that use the old name have to
            be changed.
          </Text>
        </div>
        <Form submit="Rename" quiet align="start" maw={360} busy={rename.isPending} disabled={text.trim() === name} error={rename.error} shown={NAME} onSubmit={submit}>
          <TextInput
            label="Name of the collection"
            classNames={{ input: 'mono' }}
            autoComplete="off"
            spellCheck={false}
            value={text}
            error={fieldMessage(rename.error, 'name')}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </Form>
      </Stack>
    </Box>
  );
}

function DeleteSection({ name, records }: { name: string; records: number }) {
  const navigate = useNavigate();
  const remove = useDeleteCollection(name);
  const forget = useForgetCollection(name);
  const what = plural(records, 'record');
  const confirm = () =>
    remove.mutate(undefined, {
      onSuccess: (result) => {
        toast.done(`Deleted ${name} and its ${plural(result.records_deleted ?? records, 'record')}.`);
        void navigate({ to: '/collections' }).then(forget);
      },
    });
  return (
    <DangerPanel
      heading="Delete this collection"
      effect={`Its definition, its rules and its ${what}, in all accounts, are gone at once. There is no way back.`}
      button="Delete collection"
      question={
        <>
          Delete <em>{name}</em> and its {what}?
        </>
      }
      confirm={`Delete ${name}`}
      typed={name}
      job={remove}
      onConfirm={confirm}
    >
      This cannot be undone. A collection that others refer to cannot be deleted.
    </DangerPanel>
  );
}
