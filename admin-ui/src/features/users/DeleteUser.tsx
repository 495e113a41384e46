import type { UserDetail } from '@/api/types';
import { DangerPanel } from '@/ui/DangerPanel';
import { toast } from '@/ui/toast';
import { useDeleteUser } from './queries';

export function DeleteUser({ user, onGone }: { user: UserDetail; onGone: () => void }) {
  const remove = useDeleteUser(user.id);
  const done = () => {
    toast.done(`${user.email} can no longer sign in.`);
    onGone();
  };
  return (
    <DangerPanel
      effect="Deactivates the user for good; records keep the id of who made them."
      button="Delete user"
      question={<>Delete <em>{user.email}</em>?</>}
      job={remove}
      onConfirm={() => remove.mutate(undefined, { onSuccess: done })}
    >
      All sessions end at once.
    </DangerPanel>
  );
}
