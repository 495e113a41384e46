import { messageOf } from '@/api/errors';
import { CorrelationId } from './CorrelationId';

/** An error where there is no room for a panel: below a control, in a toast. */
export function ErrorWords({ error }: { error: unknown }) {
  return (
    <span style={{ overflowWrap: 'anywhere' }}>
      {messageOf(error)} <CorrelationId error={error} />
    </span>
  );
}
