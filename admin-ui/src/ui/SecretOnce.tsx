import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface Props {
  title: string;
  /** Shown as long as it is there. */
  value: string | null;
  children: ReactNode;
  onClose: () => void;
}

/** Something that the server tells only once. */
export function SecretOnce({ title, value, children, onClose }: Props) {
  const clipboard = useClipboard({ timeout: 1200 });
  return (
    <Modal opened={value !== null} onClose={onClose} title={title} closeOnClickOutside={false}>
      <Stack gap="sm">
        <Text>{children}</Text>
        <pre className="sb-code">{value}</pre>
        <Group justify="flex-end" gap="xs">
          <Button
            variant="default"
            leftSection={clipboard.copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            onClick={() => clipboard.copy(value)}
            data-autofocus
          >
            {clipboard.copied ? 'Copied' : 'Copy'}
          </Button>
          <Button onClick={onClose}>I have kept it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
