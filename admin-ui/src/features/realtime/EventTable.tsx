import { Badge, Table, UnstyledButton } from '@mantine/core';
import { CopyText } from '@/ui/CopyText';
import { clockTime } from '@/ui/format';
import type { LiveEvent } from './events';

const COLORS: Record<string, string> = { create: 'brand', update: 'blue', delete: 'red' };

interface Props {
  events: LiveEvent[];
  onOpen: (event: LiveEvent) => void;
}

export function EventTable({ events, onOpen }: Props) {
  return (
    <Table.ScrollContainer minWidth={720} type="native">
      <Table className="sb-table" layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={112}>Time</Table.Th>
            <Table.Th w={104}>Operation</Table.Th>
            <Table.Th w={150}>Collection</Table.Th>
            <Table.Th w={110}>Record</Table.Th>
            <Table.Th>Data</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {events.map((event) => (
            <Table.Tr key={event.number} data-clickable onClick={() => onOpen(event)}>
              <Table.Td>
                <UnstyledButton className="tabular" fz="sm" aria-label={`Open event of ${clockTime(event.timestamp)}`}>
                  {clockTime(event.timestamp)}
                </UnstyledButton>
              </Table.Td>
              <Table.Td>
                <Badge color={COLORS[event.operation] ?? 'gray'}>{event.operation}</Badge>
              </Table.Td>
              <Table.Td className="mono ellipsis">{event.collection}</Table.Td>
              <Table.Td>{event.recordId && <CopyText value={event.recordId} />}</Table.Td>
              <Table.Td className="mono ellipsis">{JSON.stringify(event.frame.data)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
