import { Text } from '@mantine/core';

/** A status: the number says it, the colour helps to find it. */
export function StatusText({ status }: { status: number }) {
  const color = status >= 500 ? 'var(--sb-danger-text)' : status >= 400 ? 'var(--sb-warning-text)' : undefined;
  return (
    <Text span fz="sm" className="tabular" c={color} fw={status >= 500 ? 600 : undefined}>
      {status}
    </Text>
  );
}
