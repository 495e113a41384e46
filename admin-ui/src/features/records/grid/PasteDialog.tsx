import { List, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { plural } from '@/ui/format';
import { toast } from '@/ui/toast';
import { Refused } from '../bulk/Refused';
import { recordPath, refreshRecords } from '../queries';
import { inBatches } from '../transfer/chunks';
import type { Pasted } from './paste';

interface Props {
  collection: string;
  pasted: Pasted;
  onClose: () => void;
}

/** Says what a paste will change before it does. */
export function PasteDialog({ collection, pasted: { records, values, problems }, onClose }: Props) {
  const queries = useQueryClient();
  const write = useMutation({
    mutationFn: () =>
      inBatches({
        items: records,
        send: (batch) => api.patch(`${recordPath(collection)}/batch`, { records: batch }),
        onProgress: () => undefined,
        signal: new AbortController().signal,
      }),
    onSuccess: ({ done, failures }) => {
      if (done > 0) toast.done(`Pasted into ${plural(done, 'record')}.`);
      if (failures.length === 0) onClose();
    },
    onSettled: () => refreshRecords(queries, collection),
  });
  const target = plural(records.length, 'record');
  return (
    <ConfirmDialog
      opened
      safe
      title={records.length === 0 ? 'Nothing to paste here' : `Paste ${plural(values, 'value')} into ${target}?`}
      confirm={records.length === 0 ? 'Close' : 'Paste'}
      busy={write.isPending}
      error={write.error}
      onConfirm={() => (records.length === 0 || write.data ? onClose() : write.mutate())}
      onClose={onClose}
    >
      {problems.length === 0 ? (
        <Text c="dimmed">The values replace those in the cells from the current one on.</Text>
      ) : (
        <List fz="sm">
          {problems.map((problem) => (
            <List.Item key={problem}>{problem}</List.Item>
          ))}
        </List>
      )}
      {write.data && <Refused failures={write.data.failures.map(({ item, message }) => ({ item: item.id, message }))} />}
    </ConfirmDialog>
  );
}
