import { Box, Button, Group, Stack, Text, Title } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { collectionQuery, useDeleteCollection, useForgetCollection } from './queries';
import { useExportCollections } from './transfer/queries';

const route = getRouteApi('/app/collections/$name/settings');

export function SettingsTab() {
  const { name } = route.useParams();
  const { data } = useSuspenseQuery(collectionQuery(name));
  return (
    <Stack p="md" gap="lg" maw={720}>
      <Group gap="xl" c="dimmed" fz="sm">
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

function DeleteSection({ name, records }: { name: string; records: number }) {
  const [asking, setAsking] = useState(false);
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
    <Box className="sb-panel" p="md">
      <Group justify="space-between">
        <div style={{ flex: '1 1 260px' }}>
          <Title order={2}>Delete this collection</Title>
          <Text c="dimmed">
            Its definition, its rules and its {what}, in all accounts, are gone at once. There is no way back.
          </Text>
        </div>
        <Button variant="outline" color="red" style={{ flex: 'none' }} onClick={() => setAsking(true)}>
          Delete collection
        </Button>
      </Group>
      <ConfirmDialog
        opened={asking}
        title={
          <>
            Delete <em>{name}</em> and its {what}?
          </>
        }
        confirm={`Delete ${name}`}
        typed={name}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={confirm}
        onClose={() => {
          remove.reset();
          setAsking(false);
        }}
      >
        This cannot be undone. References from other collections to these records end too.
      </ConfirmDialog>
    </Box>
  );
}
