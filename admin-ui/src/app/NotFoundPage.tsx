import { Button } from '@mantine/core';
import { IconMapPinOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';

/** Within the frame. */
export function NowherePage() {
  return (
    <Page crumbs={[{ label: 'Not found' }]}>
      <NotFound order={2} />
    </Page>
  );
}

/** Without it. */
export function NotFoundPage() {
  return (
    <main>
      <NotFound order={1} />
    </main>
  );
}

function NotFound({ order }: { order: 1 | 2 }) {
  return (
    <EmptyState
      order={order}
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
  );
}
