import { Button, Container, Stack } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { ErrorPanel } from '@/ui/ErrorPanel';

export function CrashPage({ error }: ErrorComponentProps) {
  return (
    <Container size="sm" py="xl">
      <Stack>
        <ErrorPanel error={error} />
        <Button variant="default" onClick={() => window.location.reload()}>
          Reload the page
        </Button>
      </Stack>
    </Container>
  );
}
