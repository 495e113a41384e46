import { Button } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { collectionQuery } from '@/features/collections/queries';
import { useUpdateRecord } from '@/features/records/queries';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { toast } from '@/ui/toast';
import { Diff } from './Diff';
import type { AuditEntry } from './entries';
import { valuesBefore } from './restore';

/** Writes back the values that the fields of an update had before it. */
export function RestoreButton({ collection, entry }: { collection: string; entry: AuditEntry }) {
  const [asking, setAsking] = useState(false);
  const schema = useQuery(collectionQuery(collection)).data?.schema;
  const update = useUpdateRecord(collection, entry.recordId, () => {
    toast.done('Restored the earlier values.');
    setAsking(false);
  });
  const close = () => {
    update.reset();
    setAsking(false);
  };
  const values = schema ? valuesBefore(entry, schema) : {};
  const names = Object.keys(values);
  if (names.length === 0) return null;
  const back = entry.changes.filter(({ name }) => names.includes(name)).map(({ name, before, after }) => ({ name, before: after, after: before }));
  return (
    <>
      <Button variant="default" size="compact-sm" leftSection={<IconArrowBackUp size={14} />} onClick={() => setAsking(true)}>
        Restore earlier values
      </Button>
      <ConfirmDialog
        opened={asking}
        title="Restore the earlier values?"
        confirm="Restore"
        safe
        busy={update.isPending}
        error={update.error}
        onConfirm={() => update.mutate(values)}
        onClose={close}
      >
        <Diff operation="UPDATE" changes={back} />
      </ConfirmDialog>
    </>
  );
}
