import { Alert, Button, Group, List, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiError, messageOf } from '@/api/errors';
import { CorrelationId } from './CorrelationId';

interface Props {
  error: unknown;
  /** Fields whose messages already stand at their controls. */
  shownFields?: (field: string) => boolean;
  onRetry?: () => void;
  /** Keeps a margin on pages whose content reaches the edges. */
  inset?: boolean;
}

/** The server's own words, the fields it named and the id to quote when asking for help. */
export function ErrorPanel({ error, shownFields, onRetry, inset = false }: Props) {
  if (error === null || error === undefined) return null;
  const fields = error instanceof ApiError ? Object.entries(error.fields).filter(([name]) => !shownFields?.(name)) : [];
  const placed = error instanceof ApiError && Object.keys(error.fields).length > 0 && fields.length === 0;
  // What stands at the fields is not said twice.
  const message = placed ? 'Nothing was saved. See the marked fields.' : messageOf(error);
  const repeats = fields.length === 1 && fields[0]?.[1].join(' ') === message;
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} role="alert" p="xs" m={inset ? 'md' : undefined}>
      <Stack gap={4}>
        <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>{message}</Text>
        {fields.length > 0 && !repeats && (
          <List fz="sm" spacing={2}>
            {fields.map(([name, messages]) => (
              <List.Item key={name}>
                <span className="mono">{name}</span>: {messages.join(' ')}
              </List.Item>
            ))}
          </List>
        )}
        <Group gap="sm">
          <CorrelationId error={error} />
          {onRetry && (
            <Button variant="default" size="compact-xs" onClick={onRetry}>
              Try again
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
