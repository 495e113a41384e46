import { Button, Group } from '@mantine/core';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { toast } from '@/ui/toast';
import { useUserAction } from './queries';

export function VerifyButtons({ id }: { id: string }) {
  const verify = useUserAction(id, 'verify');
  const resend = useUserAction(id, 'resend-verification');
  return (
    <>
      <Group gap="xs">
        <Button variant="default" loading={verify.isPending} onClick={() => verify.mutate(undefined, { onSuccess: () => toast.done('The address counts as verified.') })}>
          Mark as verified
        </Button>
        <Button variant="default" loading={resend.isPending} onClick={() => resend.mutate(undefined, { onSuccess: () => toast.done('A new link is on its way.') })}>
          Send the link again
        </Button>
      </Group>
      <ErrorPanel error={verify.error ?? resend.error} />
    </>
  );
}
