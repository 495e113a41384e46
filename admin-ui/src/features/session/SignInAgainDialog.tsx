import { Button, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { signOut } from './queries';
import { SignInForm } from './SignInForm';

/** Stands over the page, so that what was typed below is still there afterwards. */
export function SignInAgainDialog({ email }: { email: string }) {
  const queries = useQueryClient();
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Your session has ended"
      size="sm"
      zIndex={1000}
    >
      <Stack gap="sm">
        <Text c="dimmed">Sign in again to go on where you were. Nothing you typed is lost.</Text>
        <SignInForm email={email} />
        <Button variant="subtle" color="gray" onClick={() => void signOut(queries)}>
          Sign out instead
        </Button>
      </Stack>
    </Modal>
  );
}
