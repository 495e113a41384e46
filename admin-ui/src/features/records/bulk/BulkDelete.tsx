import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { plural } from '@/ui/format';
import { JobProgress } from '@/ui/JobProgress';
import { toast } from '@/ui/toast';
import type { Selection } from '../grid/use-selection';
import { Refused } from './Refused';
import { useBulkDelete } from './use-bulk';

/** Above this many the number has to be typed. */
const MANY = 1000;

interface Props {
  collection: string;
  selection: Selection;
  opened: boolean;
  onClose: () => void;
}

export function BulkDelete({ collection, selection, opened, onClose }: Props) {
  const job = useBulkDelete(collection);
  const { ids } = selection;
  const what = plural(ids.length, 'record');
  const close = () => {
    job.stop();
    job.reset();
    onClose();
  };
  const confirm = () =>
    job.mutate(
      { ids },
      {
        onSuccess: ({ done, failures }) => {
          if (done > 0) toast.done(`Deleted ${plural(done, 'record')} of ${collection}.`);
          selection.set(failures.map((failure) => failure.item));
          if (failures.length === 0) close();
        },
      },
    );
  return (
    <ConfirmDialog
      opened={opened}
      title={`Delete ${what} of ${collection}?`}
      confirm={`Delete ${what}`}
      typed={ids.length > MANY ? String(ids.length) : undefined}
      busy={job.isPending}
      error={job.error}
      onConfirm={confirm}
      onClose={close}
    >
      Records that refer to them follow the rule of their field. This cannot be undone.
      {job.isPending && ids.length > 100 && <JobProgress label="Deleting" done={job.handled} total={ids.length} onStop={job.stop} />}
      {job.data && <Refused failures={job.data.failures} />}
    </ConfirmDialog>
  );
}
