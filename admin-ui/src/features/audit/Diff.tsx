import { Table } from '@mantine/core';
import type { AuditChange } from './entries';
import classes from './audit.module.css';

interface Props {
  operation: string;
  changes: AuditChange[];
}

/** Field by field, before and after; only the side that exists for what was created or deleted. */
export function Diff({ operation, changes }: Props) {
  if (changes.length === 0) return null;
  const before = operation !== 'CREATE' && changes.some((change) => change.before !== null);
  const after = operation !== 'DELETE';
  return (
    <Table className={classes.diff} layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="24%">Field</Table.Th>
          {before && <Table.Th>Before</Table.Th>}
          {after && <Table.Th>{before ? 'After' : 'Value'}</Table.Th>}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {changes.map((change) => (
          <Table.Tr key={change.name}>
            <Table.Td className="mono">{change.name}</Table.Td>
            {before && (
              <Table.Td>
                <Value value={change.before} tone={after ? 'before' : undefined} />
              </Table.Td>
            )}
            {after && (
              <Table.Td>
                <Value value={change.after} tone={before ? 'after' : undefined} />
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Value({ value, tone }: { value: string | null; tone: 'before' | 'after' | undefined }) {
  if (value === null || value === '') return <span className={classes.none}>{value === null ? 'no value' : 'empty'}</span>;
  if (tone === 'before') return <del className={classes.before}>{value}</del>;
  return tone === 'after' ? <ins className={classes.after}>{value}</ins> : <>{value}</>;
}
