import { Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { SubscriptionView } from '@/api/types';
import { plural } from '@/ui/format';

/** What one subscription asks for; what it does not ask for is not said. */
export function SubscriptionPanel({ subscription }: { subscription: SubscriptionView }) {
  const { collection, operations, filter, record, fields, expand, ref, live, group_size, account_id } = subscription;
  const group = group_size ?? 0;
  const facts = [
    operations.length === 3 ? 'every operation' : operations.join(', '),
    fields && `only ${fields.join(', ')}`,
    expand && `with ${expand.replaceAll(',', ', ')}`,
    record && `record ${record}`,
    ref && `ref ${ref}`,
    account_id ? undefined : 'of every account',
    live ? undefined : 'still told of what was before',
    group > 1 ? `shares its frames with ${plural(group - 1, 'other')}` : undefined,
  ];
  return (
    <div className="sb-panel" style={{ padding: '8px 12px' }}>
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
        <Link to="/collections/$name/records" params={{ name: collection }} className="mono" style={{ color: 'var(--sb-accent-text)', overflowWrap: 'anywhere', minWidth: 0 }}>
          {collection}
        </Link>
        <Link to="/live/playground" search={{ collection, filter: filter ?? undefined, fields: fields?.join(','), expand: expand ?? undefined, record: record ?? undefined }} style={{ color: 'var(--sb-accent-text)', flex: 'none' }}>
          Try it
        </Link>
      </Group>
      <Text fz="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {facts.filter(Boolean).join(' · ')}
      </Text>
      {filter && <pre className="sb-code" style={{ marginTop: 6 }}>{filter}</pre>}
    </div>
  );
}
