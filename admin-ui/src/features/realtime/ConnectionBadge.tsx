import { Badge } from '@mantine/core';
import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import type { Connection } from './live-socket';

const STATES: Record<Connection, { label: string; color: string }> = {
  connecting: { label: 'Connecting', color: 'gray' },
  subscribing: { label: 'Subscribing', color: 'gray' },
  open: { label: 'Connected', color: 'brand' },
  waiting: { label: 'Not connected, trying again', color: 'gray' },
  'signed-out': { label: 'Waiting for sign-in', color: 'gray' },
};

export function ConnectionBadge({ state }: { state: Connection }) {
  const { label, color } = STATES[state];
  const Icon = state === 'open' ? IconPlugConnected : IconPlugConnectedX;
  return (
    <Badge role="status" h={32} color={color} leftSection={<Icon size={14} aria-hidden />}>
      {label}
    </Badge>
  );
}
