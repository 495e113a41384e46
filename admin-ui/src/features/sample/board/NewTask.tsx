import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { ErrorPanel } from '@/ui/ErrorPanel';

interface Props {
  busy: boolean;
  error: unknown;
  onAdd: (title: string, done: () => void) => void;
}

export function NewTask({ busy, error, onAdd }: Props) {
  const [title, setTitle] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (title.trim() !== '' && !busy) onAdd(title.trim(), () => setTitle(''));
      }}
    >
      <Group gap={6} wrap="nowrap" align="flex-start">
        <TextInput aria-label="Title of a new task" placeholder="What is to be done?" autoComplete="off" flex={1} value={title} error={fieldMessage(error, 'title')} onChange={(event) => setTitle(event.currentTarget.value)} />
        <Button type="submit" variant="default" loading={busy} disabled={title.trim() === ''}>
          Add task
        </Button>
      </Group>
      <ErrorPanel error={error} shownFields={(field) => field === 'title'} />
    </form>
  );
}
