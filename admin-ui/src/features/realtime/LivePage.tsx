import { Alert, Button, Group, MultiSelect, Text } from '@mantine/core';
import { IconActivity, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { LiveSearch } from '@/app/search';
import { collectionNamesQuery } from '@/features/collections/queries';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { EmptyState } from '@/ui/EmptyState';
import { formatNumber, plural } from '@/ui/format';
import { Page } from '@/ui/Page';
import { SearchBox } from '@/ui/SearchBox';
import { ConnectionBadge } from './ConnectionBadge';
import { EventDrawer } from './EventDrawer';
import { EventTable } from './EventTable';
import { type LiveEvent, matches } from './events';
import { RealtimeTabs } from './RealtimeTabs';
import { useLive } from './use-live';

const route = getRouteApi('/app/live');

export function LivePage() {
  const { collections: chosenText = '', operations = '', text = '', account } = route.useSearch();
  const navigate = route.useNavigate();
  const names = useQuery(collectionNamesQuery).data?.names;
  const chosen = chosenText === '' ? [] : chosenText.split(',');
  const live = useLive(chosen.length > 0 ? chosen : names);
  const [open, setOpen] = useState<LiveEvent | null>(null);
  const update = (patch: LiveSearch) => void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const wanted = operations === '' ? [] : operations.split(',');
  const shown = live.events.filter((event) => matches(event, { operations: wanted, text, account }));
  const PauseIcon = live.paused ? IconPlayerPlay : IconPlayerPause;
  const pause = (
    <Button
      variant={live.paused ? 'filled' : 'default'}
      leftSection={<PauseIcon size={16} />}
      onClick={() => live.dispatch({ type: live.paused ? 'resume' : 'pause' })}
    >
      {live.paused ? `Resume${live.held.length > 0 ? ` (${formatNumber(live.held.length)} new)` : ''}` : 'Pause'}
    </Button>
  );
  return (
    <Page crumbs={[{ label: 'Live' }]} action={pause} flush>
      <RealtimeTabs />
      <Group className="sb-toolbar" p="xs" px="md" gap="xs">
        <MultiSelect
          aria-label="Collections"
          placeholder={chosen.length === 0 ? 'All collections' : undefined}
          searchable
          clearable
          data={[...new Set([...(names ?? []), ...chosen])]}
          value={chosen}
          onChange={(list) => update({ collections: list.join(',') || undefined })}
          w={{ xs: 320 }}
        />
        <MultiSelect
          aria-label="Operations"
          placeholder={wanted.length === 0 ? 'All operations' : undefined}
          clearable
          data={['create', 'update', 'delete']}
          value={wanted}
          onChange={(list) => update({ operations: list.join(',') || undefined })}
          w={{ xs: 220 }}
        />
        <SearchBox label="Filter events" value={text} onChange={(next) => update({ text: next || undefined })} />
        <Button variant="default" disabled={live.events.length === 0} onClick={() => live.dispatch({ type: 'clear' })}>
          Clear
        </Button>
        <ScopeNote />
        <ConnectionBadge state={live.connection} />
      </Group>
      {live.problem && (
        <Alert color="red" mx="md" mb="xs" p="xs" withCloseButton closeButtonLabel="Dismiss" onClose={live.dismissProblem}>
          {live.problem}
        </Alert>
      )}
      {shown.length > 0 ? (
        <EventTable events={shown} onOpen={setOpen} />
      ) : (
        <EmptyState icon={<IconActivity size={32} stroke={1.5} />} title={live.events.length > 0 ? 'No event matches' : 'Waiting for events'}>
          {live.events.length > 0
            ? 'Other events have arrived; change the filter to see them.'
            : 'Records that are created, updated or deleted appear here as soon as the change is committed.'}
        </EmptyState>
      )}
      {live.events.length > 0 && (
        <Text c="dimmed" px="md" py="xs" className="tabular">
          {plural(shown.length, 'event')} shown, the newest 500 are kept.
        </Text>
      )}
      {open && <EventDrawer event={open} onClose={() => setOpen(null)} />}
    </Page>
  );
}
