import { Box, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import type { UserDetail } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { toast } from '@/ui/toast';
import { useDeleteUser } from './queries';

export function DeleteUser({ user, onGone }: { user: UserDetail; onGone: () => void }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteUser(user.id);
  const done = () => {
    toast.done(`${user.email} can no longer sign in.`);
    onGone();
  };
  return (
    <Box className="sb-panel" p="md">
      <Group justify="space-between">
        <Text c="dimmed" style={{ flex: '1 1 200px' }}>
          Deactivates the user for good; records keep the id of who made them.
        </Text>
        <Button variant="outline" color="red" onClick={() => setAsking(true)}>
          Delete user
        </Button>
      </Group>
      <ConfirmDialog
        opened={asking}
        title={<>Delete <em>{user.email}</em>?</>}
        confirm="Delete user"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate(undefined, { onSuccess: done })}
        onClose={() => {
          remove.reset();
          setAsking(false);
        }}
      >
        All sessions end at once.
      </ConfirmDialog>
    </Box>
  );
}
