import { Button, Skeleton } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Page } from '@/ui/Page';
import { TabLinks } from '@/ui/TabLinks';
import { isSample } from '@/features/sample/sample';
import { SampleNote } from '@/features/sample/SampleNote';
import classes from './CollectionPage.module.css';
import { collectionQuery } from './queries';

const route = getRouteApi('/app/collections/$name');

const TABS = [
  { to: '/collections/$name/records', label: 'Records' },
  { to: '/collections/$name/fields', label: 'Fields' },
  { to: '/collections/$name/rules', label: 'Rules' },
  { to: '/collections/$name/api', label: 'API' },
  { to: '/collections/$name/settings', label: 'Settings' },
] as const;
/** Only the sample has it: a board that anybody's changes reach at once. */
const DEMO = { to: '/collections/$name/board', label: 'Live demo' } as const;

/** The frame of one collection; the tabs inside read the collection from the cache. */
export function CollectionPage() {
  const { name } = route.useParams();
  const collection = useQuery(collectionQuery(name));
  const sample = collection.data !== undefined && isSample(collection.data.schema);
  const action = (
    <Button
      leftSection={<IconPlus size={16} />}
      renderRoot={(props) => <Link to="/collections/$name/records/new" params={{ name }} search={(before) => before} {...props} />}
    >
      Create record
    </Button>
  );
  return (
    <Page crumbs={[{ label: 'Collections', to: '/collections' }, { label: name }]} action={collection.data && action} flush>
      <div className={classes.frame}>
        {!collection.error && <TabLinks label={`Collection ${name}`} tabs={(sample ? [...TABS, DEMO] : TABS).map(({ to, label }) => ({ label, link: { to, params: { name } } }))} />}
        {collection.isPending && <Skeleton m="md" h={200} w="auto" />}
        {collection.error && <ErrorPanel inset error={collection.error} onRetry={() => void collection.refetch()} />}
        {collection.data && sample && <SampleNote collection={collection.data} />}
        {collection.data && <Outlet />}
      </div>
    </Page>
  );
}
