import { Box, Button, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ConfirmDialog } from './ConfirmDialog';

interface Props {
  heading?: string;
  /** What goes with it. */
  effect: ReactNode;
  button: string;
  question: ReactNode;
  /** The verb in the dialog, when it says more than the button. */
  confirm?: string;
  /** Text that has to be typed first. */
  typed?: string;
  job: { isPending: boolean; error: unknown; reset: () => void };
  onConfirm: () => void;
  /** Said once more in the dialog. */
  children: ReactNode;
}

/** Something that cannot be taken back, with the question before it. */
export function DangerPanel({ heading, effect, button, question, confirm = button, typed, job, onConfirm, children }: Props) {
  const [asking, setAsking] = useState(false);
  return (
    <Box className="sb-panel" p="md">
      <Group justify="space-between">
        <div style={{ flex: '1 1 220px' }}>
          {heading && <Title order={2}>{heading}</Title>}
          <Text c="dimmed">{effect}</Text>
        </div>
        <Button variant="outline" color="red" style={{ flex: 'none' }} onClick={() => setAsking(true)}>
          {button}
        </Button>
      </Group>
      <ConfirmDialog
        opened={asking}
        title={question}
        confirm={confirm}
        typed={typed}
        busy={job.isPending}
        error={job.error}
        onConfirm={onConfirm}
        onClose={() => {
          job.reset();
          setAsking(false);
        }}
      >
        {children}
      </ConfirmDialog>
    </Box>
  );
}
