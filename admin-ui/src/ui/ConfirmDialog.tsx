import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ErrorPanel } from './ErrorPanel';

interface Props {
  opened: boolean;
  title: ReactNode;
  children: ReactNode;
  /** The verb on the button. */
  confirm: string;
  /** Text that has to be typed first, for what cannot be undone. */
  typed?: string;
  /** For what can be taken back: the button does not warn. */
  safe?: boolean;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

export function ConfirmDialog({ opened, title, children, confirm, typed, safe, busy, error, onConfirm, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="md">
      <ConfirmForm {...{ confirm, typed, safe, busy, error, onConfirm, onClose }}>{children}</ConfirmForm>
    </Modal>
  );
}

/** Mounted with the dialog, so that the typed text starts empty each time. */
function ConfirmForm({ children, confirm, typed, safe = false, busy, error, onConfirm, onClose }: Omit<Props, 'opened' | 'title'>) {
  const [text, setText] = useState('');
  const ready = typed === undefined || text === typed;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onConfirm();
      }}
    >
      <Stack gap="sm">
        <div>{children}</div>
        {typed !== undefined && (
          <TextInput
            label={
              <>
                Type <span className="mono">{typed}</span> to confirm
              </>
            }
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        <ErrorPanel error={error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          {/* Names of things can be long: they wrap. */}
          <Button
            type="submit"
            color={safe ? undefined : 'red'}
            h="auto"
            mih="var(--button-height)"
            py={6}
            styles={{ label: { whiteSpace: 'normal', lineHeight: 1.3 } }}
            disabled={!ready}
            loading={busy}
            data-autofocus={typed === undefined || undefined}
          >
            {confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
