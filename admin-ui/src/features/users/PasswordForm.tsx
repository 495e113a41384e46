import { PasswordInput } from '@mantine/core';
import { useId, useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { PasswordHints } from '@/features/session/PasswordHints';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useSetPassword } from './queries';

const SHOWN = ['new_password'];

export function PasswordForm({ id }: { id: string }) {
  const save = useSetPassword(id);
  const hints = useId();
  const [password, setPassword] = useState('');
  const done = () => {
    setPassword('');
    toast.done('The password is changed, and all sessions are ended.');
  };
  return (
    <Form submit="Set password" quiet busy={save.isPending} disabled={password === ''} error={save.error} shown={SHOWN} onSubmit={() => save.mutate(password, { onSuccess: done })}>
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
    </Form>
  );
}
