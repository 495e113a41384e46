import { Alert, Button, Group } from '@mantine/core';
import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { PlaygroundSearch } from '@/app/search';
import { collectionNamesQuery, collectionQuery } from '@/features/collections/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Page } from '@/ui/Page';
import { RealtimeTabs } from '../RealtimeTabs';
import { Log } from './Log';
import classes from './playground.module.css';
import { Snippets } from './Snippets';
import { usePlayground } from './use-playground';
import { messageOf } from './wish';
import { WishForm } from './WishForm';
import { WritePanel } from './WritePanel';

const route = getRouteApi('/app/live/playground');

/** A subscription put together by hand, on a connection of its own. */
export function PlaygroundPage() {
  const navigate = route.useNavigate();
  const [search, setSearch] = useState<PlaygroundSearch>(route.useSearch());
  const names = useQuery(collectionNamesQuery).data?.names;
  const collection = search.collection ?? names?.[0];
  const details = useQuery({ ...collectionQuery(collection ?? ''), enabled: collection !== undefined });
  const line = usePlayground();
  const update = (patch: PlaygroundSearch) => {
    const next = { ...search, ...patch };
    setSearch(next);
    void navigate({ search: next, replace: true });
  };
  const wish = collection === undefined ? null : { ...search, collection };
  const message = wish && JSON.stringify(messageOf(wish));
  const connect = () => wish && void line.connect({ wish, via: search.via, userId: search.as });
  const action =
    line.state === 'closed' ? (
      <Button leftSection={<IconPlugConnected size={16} />} disabled={wish === null} onClick={connect}>
        Connect
      </Button>
    ) : (
      <Button variant="default" leftSection={<IconPlugConnectedX size={16} />} onClick={line.disconnect}>
        Disconnect
      </Button>
    );
  return (
    <Page crumbs={[{ label: 'Live', to: '/live' }, { label: 'Playground' }]} action={action} flush>
      <RealtimeTabs />
      <div className={classes.columns}>
        <div className={classes.side}>
          <WishForm search={{ ...search, collection }} names={names ?? []} fields={details.data?.schema ?? []} frames={line.frames} onChange={update} />
          {collection !== undefined && <WritePanel key={collection} collection={collection} userId={search.as} />}
        </div>
        <div className={classes.main}>
          <ErrorPanel error={line.problem} />
          {names?.length === 0 && <Alert color="gray">There is no collection yet. Create one, then subscribe to it here.</Alert>}
          {line.state === 'open' && message !== null && (
            <Group gap="xs">
              {search.via === 'sse' ? (
                <Button variant="default" onClick={connect}>
                  Connect again with these settings
                </Button>
              ) : (
                <Button variant="default" onClick={() => line.send(message)}>
                  Subscribe with these settings
                </Button>
              )}
            </Group>
          )}
          <Log line={line} canSend={search.via !== 'sse'} onContinue={(since) => update({ since, snapshot: undefined })} />
          {wish && <Snippets wish={wish} />}
        </div>
      </div>
    </Page>
  );
}
