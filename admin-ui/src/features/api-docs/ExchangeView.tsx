import { Group, Text } from '@mantine/core';
import type { Exchange } from '@/api/client';
import { StatusText } from '@/features/requests/StatusText';
import { CopyText } from '@/ui/CopyText';
import { formatMilliseconds } from '@/ui/format';
import { JsonBlock } from '@/ui/JsonBlock';

/** What came back, and how. */
export function ExchangeView({ exchange }: { exchange: Exchange }) {
  const { status, milliseconds, correlationId, body } = exchange;
  return (
    <section aria-label="Response" aria-live="polite">
      <Group gap="md" mb={6}>
        <Text component="span">
          Status <StatusText status={status} />
        </Text>
        <Text component="span" className="tabular">
          {formatMilliseconds(milliseconds)}
        </Text>
        {correlationId && (
          <Text component="span" c="dimmed" fz="sm">
            Correlation id <CopyText value={correlationId} />
          </Text>
        )}
      </Group>
      {body === undefined ? <Text c="dimmed">The response has no body.</Text> : <JsonBlock value={body} maxHeight={420} />}
    </section>
  );
}
