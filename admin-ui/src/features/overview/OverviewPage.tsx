import { SimpleGrid, Stack } from '@mantine/core';
import { IconDatabase } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { accountsQuery } from '@/features/accounts/queries';
import { CreateCollectionButton, FirstSteps } from '@/features/collections/CollectionsPage';
import { collectionsQuery } from '@/features/collections/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatNumber } from '@/ui/format';
import { Page } from '@/ui/Page';
import { Figure } from './Figure';
import { healthQuery } from './queries';
import { QuickLinks } from './QuickLinks';
import { RecentCollections } from './RecentCollections';

export function OverviewPage() {
  const collections = useQuery(collectionsQuery({ page: 1, page_size: 100, sort_by: 'created_at', sort_order: 'desc' }));
  const accounts = useQuery(accountsQuery({ page: 1, page_size: 1 }));
  const health = useQuery(healthQuery);
  const items = collections.data?.items;
  // The sum is of the newest hundred collections; with more it is a lower bound and says so.
  const partial = collections.data && collections.data.total > collections.data.items.length;
  const records = items?.reduce((sum, item) => sum + item.records_count, 0);
  return (
    <Page crumbs={[{ label: 'Overview' }]} action={items && items.length > 0 && <CreateCollectionButton />}>
      <Stack gap="md" maw={1040}>
        <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
          <Figure label="Collections" value={show(collections.data?.total)} to="/collections" />
          <Figure label="Records" value={records === undefined ? undefined : `${formatNumber(records)}${partial ? '+' : ''}`} />
          <Figure label="Accounts" value={show(accounts.data?.total)} />
          <Figure
            label="Server"
            value={health.error ? 'unreachable' : health.data?.status}
            note={health.data ? `version ${health.data.version}` : undefined}
          />
        </SimpleGrid>
        {[collections, accounts].map((query, index) =>
          query.error ? <ErrorPanel key={index} error={query.error} onRetry={() => void query.refetch()} /> : null,
        )}
        {items?.length === 0 ? (
          <div className="sb-panel">
            <EmptyState icon={<IconDatabase size={32} stroke={1.5} />} title="Start with a collection" action={<FirstSteps />}>
              Describe one kind of record, such as posts or orders, and its REST and realtime addresses exist at once.
            </EmptyState>
          </div>
        ) : (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
            <RecentCollections items={items?.slice(0, 6)} />
            <QuickLinks />
          </SimpleGrid>
        )}
      </Stack>
    </Page>
  );
}

function show(count: number | undefined): string | undefined {
  return count === undefined ? undefined : formatNumber(count);
}
