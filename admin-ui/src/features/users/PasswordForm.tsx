import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useId, useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { PasswordHints } from '@/features/session/PasswordHints';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { toast } from '@/ui/toast';
import { useSetPassword } from './queries';

export function PasswordForm({ id }: { id: string }) {
  const save = useSetPassword(id);
  const hints = useId();
  const [password, setPassword] = useState('');
  const done = () => {
    setPassword('');
    toast.done('The password is changed, and all sessions are ended.');
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(password, { onSuccess: done });
      }}
    >
      <Stack gap="sm">
        <PasswordInput
          label="New password"
          description="Ends all sessions of the user."
          autoComplete="new-password"
          aria-describedby={hints}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={fieldMessage(save.error, 'new_password')}
        />
        {password !== '' && <PasswordHints id={hints} password={password} />}
        <ErrorPanel error={save.error} shownFields={(field) => field === 'new_password'} />
        <Group justify="flex-end">
          <Button type="submit" variant="default" disabled={password === ''} loading={save.isPending}>
            Set password
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
