import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { plural } from '@/ui/format';
import { toast } from '@/ui/toast';
import { useDeleteRecords } from './queries';

interface Props {
  collection: string;
  ids: string[];
  onDone: () => void;
}

export function BulkBar({ collection, ids, onDone }: Props) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteRecords(collection);
  if (ids.length === 0) return null;
  const what = plural(ids.length, 'record');
  const close = () => {
    remove.reset();
    setAsking(false);
  };
  const confirm = () =>
    remove.mutate(ids, {
      onSuccess: () => {
        toast.done(`Deleted ${what}.`);
        close();
        onDone();
      },
    });
  return (
    <Group px="md" py={6} gap="xs" bg="var(--sb-accent-soft)" role="region" aria-label="Selected records">
      <Text fw={500}>{what} selected</Text>
      <Button size="compact-sm" variant="outline" color="red" bg="var(--mantine-color-body)" onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Button size="compact-sm" variant="default" onClick={onDone}>
        Clear selection
      </Button>
      <ConfirmDialog
        opened={asking}
        title={`Delete ${what} of ${collection}?`}
        confirm={`Delete ${what}`}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={confirm}
        onClose={close}
      >
        All of them or, if one cannot be deleted, none. This cannot be undone.
      </ConfirmDialog>
    </Group>
  );
}
