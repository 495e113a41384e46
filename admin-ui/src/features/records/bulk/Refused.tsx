import { Alert, List } from '@mantine/core';
import { plural, shortId } from '@/ui/format';
import type { Failure } from '../transfer/chunks';

const SHOWN = 10;

export function Refused({ failures }: { failures: Failure<string>[] }) {
  if (failures.length === 0) return null;
  return (
    <Alert color="red" p="xs" role="alert" title={`${plural(failures.length, 'record')} refused, still selected`}>
      <List fz="sm">
        {failures.slice(0, SHOWN).map(({ item, message }) => (
          <List.Item key={item}>
            <span className="mono">{shortId(item)}</span>: {message}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
