import { Button, Group, Text } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Collection } from '@/api/types';
import { useDeleteCollection, useForgetCollection } from '@/features/collections/queries';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { toast } from '@/ui/toast';
import { createSample } from './queries';
import { SAMPLE_RECORDS } from './sample';

/** Says that this is the sample, and takes it away in one click; asks only if somebody added to it. */
export function SampleNote({ collection }: { collection: Collection }) {
  const { name, records_count: records } = collection;
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const remove = useDeleteCollection(name);
  const forget = useForgetCollection(name);
  const grown = records > SAMPLE_RECORDS.length;
  const confirm = () =>
    remove.mutate(undefined, {
      onSuccess: () => {
        void navigate({ to: '/collections', ignoreBlocker: true }).then(forget);
        if (grown) return toast.done('Removed the sample.');
        toast.undo('Removed the sample.', async () => {
          await createSample();
          await queries.invalidateQueries({ queryKey: ['collections'] });
        });
      },
    });
  return (
    <Group px="md" py={6} gap="xs" bg="var(--sb-surface)" style={{ borderBottom: '1px solid var(--sb-border)' }} role="note">
      <IconFlask size={16} stroke={1.6} aria-hidden />
      <Text fz="sm">A sample to look around in.</Text>
      <Button size="compact-sm" variant="default" renderRoot={(props) => <Link to="/collections/$name/board" params={{ name }} {...props} />}>
        Open the live demo
      </Button>
      <Button size="compact-sm" variant="default" loading={remove.isPending && !asking} onClick={grown ? () => setAsking(true) : confirm}>
        Remove the sample
      </Button>
      {!asking && <ErrorPanel error={remove.error} />}
      <ConfirmDialog
        opened={asking}
        title={`Remove the sample and its ${plural(records, 'record')}?`}
        confirm="Remove the sample"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={confirm}
        onClose={() => setAsking(false)}
      >
        Somebody has added records to it. They go with it.
      </ConfirmDialog>
    </Group>
  );
}
