import { Skeleton } from '@mantine/core';
import { IconSchema } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { allCollectionsQuery } from '@/features/collections/all';
import { FirstSteps } from '@/features/collections/CollectionsPage';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { type Crumb, Page } from '@/ui/Page';
import { TabLinks } from '@/ui/TabLinks';
import { rulesOf } from './access';
import { AccessView } from './AccessView';
import { MapView } from './MapView';
import { allRulesQuery } from './queries';

const accessRoute = getRouteApi('/app/map/access');
const CRUMBS: [Crumb, Crumb] = [{ label: 'Collections', to: '/collections' }, { label: 'Map' }];

interface FrameProps {
  loading: boolean;
  empty: boolean;
  error: unknown;
  onRetry: () => void;
  children: ReactNode;
}

function Frame({ loading, empty, error, onRetry, children }: FrameProps) {
  return (
    <Page crumbs={CRUMBS} flush>
      <TabLinks
        label="Views of all collections"
        tabs={[
          { label: 'Relations', link: { to: '/map' }, exact: true },
          { label: 'Access', link: { to: '/map/access' } },
        ]}
      />
      {error ? <ErrorPanel inset error={error} onRetry={onRetry} /> : loading && <Skeleton m="md" h={420} w="auto" />}
      {empty && (
        <EmptyState icon={<IconSchema size={32} stroke={1.5} />} title="No collections yet" action={<FirstSteps />}>
          Collections and their references appear here as a map, and their rules as a table.
        </EmptyState>
      )}
      {children}
    </Page>
  );
}

export function MapPage() {
  const { data, error, isPending, refetch } = useQuery(allCollectionsQuery);
  return (
    <Frame loading={isPending} empty={data?.length === 0} error={error} onRetry={() => void refetch()}>
      {data && data.length > 0 && <MapView collections={data} />}
    </Frame>
  );
}

export function AccessPage() {
  const { role = 'user' } = accessRoute.useSearch();
  const navigate = accessRoute.useNavigate();
  const collections = useQuery(allCollectionsQuery);
  const rules = useQuery(allRulesQuery);
  const retry = () => void Promise.all([collections.refetch(), rules.refetch()]);
  const byName = new Map((rules.data ?? []).map(({ collection, permissions }) => [collection, rulesOf(permissions)]));
  return (
    <Frame loading={collections.isPending || rules.isPending} empty={collections.data?.length === 0} error={collections.error ?? rules.error} onRetry={retry}>
      {collections.data && collections.data.length > 0 && rules.data && (
        <AccessView
          collections={collections.data}
          rules={byName}
          role={role}
          onRole={(next) => void navigate({ search: (before) => ({ ...before, role: next === 'user' ? undefined : next }), replace: true })}
        />
      )}
    </Frame>
  );
}
