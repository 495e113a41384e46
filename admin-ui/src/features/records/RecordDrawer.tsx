import { FocusTrap, Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { recordSearch } from '@/app/search';
import { collectionQuery } from '@/features/collections/queries';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { JsonBlock } from '@/ui/JsonBlock';
import { PageDrawer } from '@/ui/PageDrawer';
import { TimeText } from '@/ui/TimeText';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { CreateForm, EditForm } from './RecordForms';
import { useRecord } from './queries';
import { ReferredBy } from './ReferredBy';
import { RecordHistory } from './RecordHistory';
import { RecordMenu } from './RecordMenu';

const listRoute = getRouteApi('/app/collections/$name/records');
const route = getRouteApi('/app/collections/$name/records/$id');

const VIEWS = [
  { value: 'form', label: 'Form' },
  { value: 'json', label: 'JSON' },
  { value: 'history', label: 'History' },
];

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
    <PageDrawer onClose={() => close(false)} title={title}>
      {children(() => close(true))}
      <UnsavedGuard dirty={dirty}>The record has changes that are not saved.</UnsavedGuard>
    </PageDrawer>
  );
}

export function NewRecordDrawer() {
  const { name } = listRoute.useParams();
  const { data: collection } = useSuspenseQuery(collectionQuery(name));
  const [dirty, setDirty] = useState(false);
  return (
    <Sheet title={`New record in ${name}`} dirty={dirty}>
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
    <Sheet title={<>Record <CopyText value={id} /></>} dirty={dirty}>
      {(done) => (
        <Stack gap="md">
          <FocusTrap.InitialFocus />
          <Group justify="space-between" gap="xs">
            <SegmentedControl
              aria-label="View"
              data={VIEWS}
              value={view}
              onChange={(next) => void navigate({ search: (before) => ({ ...before, ...recordSearch({ view: next }) }), replace: true })}
            />
            {record.data && (
              <Group gap={4} wrap="nowrap">
                <Text fz="sm" c="dimmed">
                  Created <TimeText value={record.data.created_at} />, updated <TimeText value={record.data.updated_at} />
                </Text>
                <RecordMenu collection={name} record={record.data} />
              </Group>
            )}
          </Group>
          {record.error && <ErrorPanel error={record.error} onRetry={() => void record.refetch()} />}
          {record.isPending && <Skeleton h={320} />}
          {record.data && view === 'json' && <JsonBlock value={record.data} />}
          {record.data && view === 'history' && <RecordHistory collection={name} id={id} />}
          {record.data && (
            <div hidden={view !== 'form'}>
              <EditForm
                key={record.data.updated_at}
                collection={collection}
                record={record.data}
                onDirty={setDirty}
                onDone={done}
              />
            </div>
          )}
          {record.data && view === 'form' && <ReferredBy collection={name} id={id} />}
        </Stack>
      )}
    </Sheet>
  );
}
