import { Text } from '@mantine/core';
import { ApiError } from '@/api/errors';
import { CopyText } from './CopyText';

/** What to quote when asking for help about an error, if the server gave it a name. */
export function CorrelationId({ error }: { error: unknown }) {
  if (!(error instanceof ApiError) || !error.correlationId) return null;
  return (
    <Text fz="xs" c="dimmed" component="span">
      Correlation id <CopyText value={error.correlationId} />
    </Text>
  );
}
