import { Button } from '@mantine/core';
import { IconMapPinOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '@/ui/EmptyState';

export function NotFoundPage() {
  return (
    <main>
      <EmptyState
        order={1}
      icon={<IconMapPinOff size={32} stroke={1.5} />}
      title="There is no such page"
      action={
        <Button variant="default" renderRoot={(props) => <Link to="/" {...props} />}>
          Go to the overview
        </Button>
      }
    >
      The address may be mistyped, or what it pointed at is gone.
      </EmptyState>
    </main>
  );
}
