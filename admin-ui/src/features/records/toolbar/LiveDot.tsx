import { Tooltip } from '@mantine/core';
import type { Connection } from '@/features/realtime/live-socket';

const WORDS: Record<Connection, string> = {
  connecting: 'Connecting',
  subscribing: 'Connecting',
  open: 'Live',
  waiting: 'Offline, reconnecting',
  'signed-out': 'Offline',
};

/** Whether changes by others appear by themselves. */
export function LiveDot({ connection }: { connection: Connection }) {
  const on = connection === 'open';
  return (
    <Tooltip label={on ? 'Changes by others appear immediately' : 'Changes by others appear after a reload'}>
      <span role="status" style={{ display: 'inline-flex', alignItems: 'center', gap: 6, whiteSpace: 'nowrap' }}>
        <svg width="8" height="8" aria-hidden>
          <circle cx="4" cy="4" r="3" fill={on ? 'var(--sb-accent-text)' : 'none'} stroke={on ? 'var(--sb-accent-text)' : 'currentColor'} />
        </svg>
        {WORDS[connection]}
      </span>
    </Tooltip>
  );
}
