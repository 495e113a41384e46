import { Drawer, FocusTrap, Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { collectionQuery } from '@/features/collections/queries';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { JsonBlock } from '@/ui/JsonBlock';
import { TimeText } from '@/ui/TimeText';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { CreateForm, EditForm } from './RecordForms';
import { useRecord } from './queries';

const listRoute = getRouteApi('/app/collections/$name/records');
const route = getRouteApi('/app/collections/$name/records/$id');

interface SheetProps {
  title: ReactNode;
  dirty: boolean;
  /** `done` closes without asking. */
  children: (done: () => void) => ReactNode;
}

function Sheet({ title, dirty, children }: SheetProps) {
  const { name } = listRoute.useParams();
  const navigate = listRoute.useNavigate();
  const close = (ignoreBlocker: boolean) =>
    void navigate({
      to: '/collections/$name/records',
      params: { name },
      search: ({ sort, filter, q }) => ({ sort, filter, q }),
      ignoreBlocker,
    });
  return (
    <Drawer opened onClose={() => close(false)} title={title} transitionProps={{ duration: 0 }}>
      {children(() => close(true))}
      <UnsavedGuard dirty={dirty}>The record has changes that are not saved.</UnsavedGuard>
    </Drawer>
  );
}

export function NewRecordDrawer() {
  const { name } = listRoute.useParams();
  const { data: collection } = useSuspenseQuery(collectionQuery(name));
  const [dirty, setDirty] = useState(false);
  return (
    <Sheet title={<Title>New record in {name}</Title>} dirty={dirty}>
      {(done) => <CreateForm collection={collection} onDirty={setDirty} onDone={done} />}
    </Sheet>
  );
}

export function RecordDrawer() {
  const { name, id } = route.useParams();
  const { view = 'form' } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: collection } = useSuspenseQuery(collectionQuery(name));
  const record = useRecord(name, id);
  const [dirty, setDirty] = useState(false);
  return (
    <Sheet title={<Title>Record <CopyText value={id} /></Title>} dirty={dirty}>
      {(done) => (
        <Stack gap="md">
          <FocusTrap.InitialFocus />
          <Group justify="space-between" gap="xs">
            <SegmentedControl
              aria-label="View"
              data={[
                { value: 'form', label: 'Form' },
                { value: 'json', label: 'JSON' },
              ]}
              value={view}
              onChange={(next) =>
                void navigate({ search: (before) => ({ ...before, view: next === 'json' ? 'json' : undefined }), replace: true })
              }
            />
            {record.data && (
              <Text fz="sm" c="dimmed">
                Created <TimeText value={record.data.created_at} />, changed{' '}
                <TimeText value={record.data.updated_at} />
                {' · '}
                <Link to="/audit" search={{ table: collection.table_name, record: id }} style={{ color: 'var(--sb-accent-text)' }}>
                  History
                </Link>
              </Text>
            )}
          </Group>
          {record.error && <ErrorPanel error={record.error} onRetry={() => void record.refetch()} />}
          {record.isPending && <Skeleton h={320} />}
          {record.data && view === 'json' && <JsonBlock value={record.data} />}
          {record.data && (
            <div hidden={view === 'json'}>
              <EditForm
                key={record.data.updated_at}
                collection={collection}
                record={record.data}
                onDirty={setDirty}
                onDone={done}
              />
            </div>
          )}
        </Stack>
      )}
    </Sheet>
  );
}

function Title({ children }: { children: ReactNode }) {
  return (
    <Text fw={600} component="span">
      {children}
    </Text>
  );
}
