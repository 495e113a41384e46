import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { fetchPage } from '@/features/records/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import classes from './api-docs.module.css';
import { documentQuery } from './document';
import { ENTRIES, entryOf } from './entries';
import { EntryNav } from './EntryNav';
import { OperationView } from './OperationView';
import { RealtimeDocs } from './RealtimeDocs';
import { TypesDocs } from './TypesDocs';

const route = getRouteApi('/app/collections/$name/api');

/** What programs can do with the collection: said by the server's document, tried with one's own token. */
export function ApiTab() {
  const { name } = route.useParams();
  const { op } = route.useSearch();
  const document = useQuery(documentQuery);
  // A record that exists makes the examples ones that work.
  const first = useQuery({ queryKey: ['records', name, 'first'], queryFn: ({ signal }) => fetchPage(name, { limit: 1 }, signal) });
  return (
    <div className={classes.page}>
      <EntryNav collection={name} chosen={op ?? 'list'} />
      <div className={classes.content}>
        {document.error && <ErrorPanel error={document.error} onRetry={() => void document.refetch()} />}
        {document.isPending || first.isPending ? (
          <Skeleton h={420} />
        ) : (
          document.data && <Chosen key={`${name} ${op ?? ''}`} collection={name} op={op} document={document.data} id={first.data?.items[0]?.id ?? ''} />
        )}
      </div>
    </div>
  );
}

function Chosen({ op, ...rest }: { op: string | undefined; collection: string; document: Parameters<typeof OperationView>[0]['document']; id: string }) {
  if (op === 'realtime') return <RealtimeDocs {...rest} />;
  if (op === 'types') return <TypesDocs {...rest} />;
  const entry = entryOf(op) ?? ENTRIES[0];
  return entry && <OperationView {...rest} entry={entry} />;
}
