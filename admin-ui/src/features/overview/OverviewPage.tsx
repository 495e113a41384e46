import { SimpleGrid, Stack } from '@mantine/core';
import { IconDatabase } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { CreateCollectionButton, FirstSteps } from '@/features/collections/CollectionsPage';
import { collectionsQuery } from '@/features/collections/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Page } from '@/ui/Page';
import { Figures } from './Figures';
import { Growth } from './Growth';
import { HealthPanel } from './HealthPanel';
import { statsQuery } from './queries';
import { QuickLinks } from './QuickLinks';
import { RecentAudit } from './RecentAudit';
import { RecentCollections } from './RecentCollections';
import { Traffic } from './Traffic';

const route = getRouteApi('/app/');

export function OverviewPage() {
  const { days = '7d' } = route.useSearch();
  const stats = useQuery(statsQuery(days));
  const collections = useQuery(collectionsQuery({ page: 1, page_size: 6, sort_by: 'created_at', sort_order: 'desc' }));
  const items = collections.data?.items;
  return (
    <Page crumbs={[{ label: 'Overview' }]} action={items && items.length > 0 && <CreateCollectionButton />}>
      <Stack gap="lg" maw={1120}>
        {[stats, collections].map((query, index) =>
          query.error ? <ErrorPanel key={index} error={query.error} onRetry={() => void query.refetch()} /> : null,
        )}
        <Figures stats={stats.data} />
        {items?.length === 0 && (
          <div className="sb-panel">
            <EmptyState icon={<IconDatabase size={32} stroke={1.5} />} title="Start with a collection" action={<FirstSteps />}>
              Describe one kind of record, such as posts or orders, and its REST and realtime addresses exist at once.
            </EmptyState>
          </div>
        )}
        <Traffic />
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
          <HealthPanel stats={stats.data} />
          <RecentAudit rows={stats.data?.recent_audit_logs} />
        </SimpleGrid>
        <Growth />
        {items?.length !== 0 && (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
            <RecentCollections items={items} />
            <QuickLinks />
          </SimpleGrid>
        )}
      </Stack>
    </Page>
  );
}
