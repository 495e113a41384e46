import { Text } from '@mantine/core';
import { CopyText } from '@/ui/CopyText';
import { formatNumber } from '@/ui/format';
import { TimeText } from '@/ui/TimeText';

/** One value in a table: short, never more than a line. */
export function CellValue({ kind, value }: { kind: string; value: unknown }) {
  if (value === null || value === undefined) {
    return (
      <Text span c="dimmed" fz="sm">
        null
      </Text>
    );
  }
  if (typeof value === 'string') {
    if (kind === 'id' || kind === 'reference') return <CopyText value={value} />;
    if (kind === 'instant' || kind === 'datetime') return <TimeText value={value} />;
    return value === '' ? <Text span c="dimmed" fz="sm">empty</Text> : <>{value}</>;
  }
  if (typeof value === 'number') return <>{kind === 'number' ? formatExact(value) : value}</>;
  if (typeof value === 'boolean') return <>{value ? 'true' : 'false'}</>;
  if (kind === 'file') return <>{fileName(value)}</>;
  return <span className="mono">{JSON.stringify(value)}</span>;
}

/** Grouped digits, but never rounded: the table is where people check what is stored. */
function formatExact(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 10_000 ? formatNumber(value) : String(value);
}

function fileName(value: unknown): string {
  const name = (value as { filename?: unknown }).filename;
  return typeof name === 'string' ? name : JSON.stringify(value);
}
