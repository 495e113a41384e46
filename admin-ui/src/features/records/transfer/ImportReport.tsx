import { Button, Group, Stack, Table, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { download } from '@/ui/download';
import { formatNumber, plural } from '@/ui/format';
import { csvLine } from './csv';
import type { ImportOutcome } from './use-import';

const SHOWN = 50;

/** What came of an import, line by line where something was refused. */
export function ImportReport({ collection, outcome }: { collection: string; outcome: ImportOutcome }) {
  const { created, problems, untried } = outcome;
  const save = () =>
    download(`${collection}-problems.csv`, 'text/csv', [
      'row,problem\r\n',
      ...problems.map(({ row, message }) => `${csvLine([String(row), message])}\r\n`),
    ]);
  return (
    <Stack gap="xs" role="region" aria-label="Result">
      <Text role="status" fw={500}>
        Created {plural(created, 'record')}
        {problems.length > 0 && `, ${formatNumber(problems.length)} refused`}
        {untried > 0 && `, ${formatNumber(untried)} not tried`}.
      </Text>
      {problems.length > 0 && (
        <>
          <Table.ScrollContainer minWidth={320} type="native" mah={280}>
            <Table className="sb-table">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th w={80} className="num">Record</Table.Th>
                  <Table.Th>What the server says</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {problems.slice(0, SHOWN).map(({ row, message }) => (
                  <Table.Tr key={row}>
                    <Table.Td className="num">{formatNumber(row)}</Table.Td>
                    <Table.Td style={{ maxWidth: 'none', overflowWrap: 'anywhere' }}>{message}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Group justify="space-between">
            <Text fz="sm" c="dimmed">
              {problems.length > SHOWN && `The first ${SHOWN} of ${formatNumber(problems.length)}.`}
            </Text>
            <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} onClick={save}>
              Save the list
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}
