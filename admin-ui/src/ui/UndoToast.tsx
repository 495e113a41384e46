import { Button, Group } from '@mantine/core';

export function UndoToast({ message, onUndo }: { message: string; onUndo: () => void }) {
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap">
      <span style={{ overflowWrap: 'anywhere' }}>{message}</span>
      <Button size="compact-sm" variant="default" style={{ flex: 'none' }} onClick={onUndo}>
        Undo
      </Button>
    </Group>
  );
}
