import { Button, Stack } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { useCreateSample } from './queries';
import { SAMPLE_NAME } from './sample';

/** For those who want to look before they build. */
export function SampleOffer() {
  const navigate = useNavigate();
  const create = useCreateSample(() => void navigate({ to: '/collections/$name/records', params: { name: SAMPLE_NAME } }));
  return (
    <Stack gap="xs" align="center">
      <Button variant="default" loading={create.isPending} onClick={() => create.mutate()}>
        Try it with sample tasks
      </Button>
      <ErrorPanel error={create.error} />
    </Stack>
  );
}
