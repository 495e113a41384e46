import { Text } from '@mantine/core';
import type { ConnectionView } from '@/api/types';
import { isLate, lagWords } from './lag';

export function LagText({ connection }: { connection: ConnectionView }) {
  const late = isLate(connection);
  return (
    <Text span fz="sm" className="tabular" c={late ? 'var(--sb-warning-text)' : undefined} fw={late ? 500 : undefined}>
      {lagWords(connection)}
    </Text>
  );
}
