import { Button, Group } from '@mantine/core';
import { modKey } from './mod-key';

export function UndoToast({ message, onUndo }: { message: string; onUndo: () => void }) {
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap">
      <span style={{ overflowWrap: 'anywhere' }}>{message}</span>
      <Button size="compact-sm" variant="default" style={{ flex: 'none' }} onClick={onUndo}>
        Undo <kbd aria-hidden>{modKey} Z</kbd>
      </Button>
    </Group>
  );
}
