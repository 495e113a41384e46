import type { ConnectionView } from '@/api/types';
import { formatBytes, formatNumber, plural } from '@/ui/format';

export const PROTOCOLS: Record<string, string> = { ws: 'WebSocket', sse: 'Server-sent events', pocketbase: 'PocketBase' };

type Lag = Pick<ConnectionView, 'behind' | 'pulling' | 'queued_frames' | 'queued_bytes'>;

/** Whether the client reads as fast as things happen. */
export function isLate({ pulling, behind }: Lag): boolean {
  return pulling || behind > 0;
}

export function lagWords({ pulling, behind, queued_frames, queued_bytes }: Lag): string {
  if (pulling || behind > 0) return behind > 0 ? `${formatNumber(behind)} behind` : 'catching up';
  return queued_frames > 0 ? `${plural(queued_frames, 'frame')} waiting, ${formatBytes(queued_bytes)}` : 'keeps up';
}
