import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import type { RecordRow } from '@/api/types';
import { type ApiDocument, documentQuery, schemaOf } from '@/features/api-docs/document';
import { draftOf } from '@/features/api-docs/example';
import { recordPath } from '@/features/records/queries';
import { userQuery } from '@/features/users/queries';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { JsonInput, parseJson } from '@/ui/JsonInput';

interface Props {
  collection: string;
  /** Whose account the record goes to. */
  userId: string | undefined;
}

/** Makes something happen to listen to. */
export function WritePanel(props: Props) {
  const document = useQuery(documentQuery);
  return (
    <Stack gap="xs" component="section" aria-label="Write a record">
      <Title order={2}>Write a record</Title>
      {document.error && <ErrorPanel error={document.error} onRetry={() => void document.refetch()} />}
      {document.data ? <Write {...props} document={document.data} /> : <Skeleton h={120} />}
    </Stack>
  );
}

type Act = 'create' | 'change' | 'delete';

function Write({ collection, userId, document }: Props & { document: ApiDocument }) {
  const [text, setText] = useState(() => {
    const input = schemaOf(document.paths[`/api/v1/records/${collection}`]?.post?.requestBody);
    return JSON.stringify(draftOf(document, input), null, 2);
  });
  const [made, setMade] = useState<string | null>(null);
  const user = useQuery({ ...userQuery(userId ?? ''), enabled: userId !== undefined });
  const write = useMutation({
    mutationFn: async ({ act, data }: { act: Act; data: object }) => {
      if (act === 'create') {
        const owner = user.data ? { account_id: user.data.account_id } : {};
        return (await api.post<RecordRow>(recordPath(collection), { ...data, ...owner })).id;
      }
      if (made === null) return null;
      if (act === 'change') return (await api.patch<RecordRow>(recordPath(collection, made), data)).id;
      await api.delete(recordPath(collection, made));
      return null;
    },
    onSuccess: setMade,
  });
  const parsed = parseJson(text);
  const data = parsed.ok && typeof parsed.value === 'object' && parsed.value !== null ? parsed.value : null;
  const busy = (act: Act) => write.isPending && write.variables.act === act;
  const run = (act: Act) => write.mutate({ act, data: data ?? {} });
  const waiting = userId !== undefined && !user.data;
  return (
    <>
      <Text c="dimmed" fz="sm">
        With your own rights{user.data ? `, in the account ${user.data.account_name}` : ''}: it is a real record.
      </Text>
      <JsonInput label="Values" value={text} onChange={setText} minRows={4} />
      <Group gap="xs">
        <Button variant="default" disabled={data === null || waiting || write.isPending} loading={busy('create')} onClick={() => run('create')}>
          Create
        </Button>
        <Button variant="default" disabled={data === null || made === null || write.isPending} loading={busy('change')} onClick={() => run('change')}>
          Change it
        </Button>
        <Button variant="default" disabled={made === null || write.isPending} loading={busy('delete')} onClick={() => run('delete')}>
          Delete it
        </Button>
      </Group>
      {made !== null && (
        <Text fz="sm" c="dimmed">
          Created <CopyText value={made} />
        </Text>
      )}
      <ErrorPanel error={write.error} />
    </>
  );
}
