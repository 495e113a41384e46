import { Group, Stack } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { JsonBlock } from '@/ui/JsonBlock';
import { PageDrawer } from '@/ui/PageDrawer';
import type { LiveEvent } from './events';

const LINK = { color: 'var(--sb-accent-text)' };

export function EventDrawer({ event, onClose }: { event: LiveEvent; onClose: () => void }) {
  const { collection, operation, recordId } = event;
  return (
    <PageDrawer title={`${collection}.${operation}`} onClose={onClose}>
      <Stack gap="md">
        <Group gap="md">
          {recordId !== '' && operation !== 'delete' && (
            <Link to="/collections/$name/records/$id" params={{ name: collection, id: recordId }} style={LINK}>
              Open the record
            </Link>
          )}
          {recordId !== '' && (
            <Link to="/audit" search={{ record: recordId }} style={LINK}>
              Its history
            </Link>
          )}
        </Group>
        <JsonBlock value={event.frame} />
      </Stack>
    </PageDrawer>
  );
}
