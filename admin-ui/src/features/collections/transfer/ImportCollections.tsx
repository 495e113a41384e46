import { Badge, Button, FileInput, Group, Modal, SegmentedControl, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconFileUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { messageOf } from '@/api/errors';
import type { CollectionExport, FieldDefinition, ImportStrategy } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatNumber, plural } from '@/ui/format';
import { toast } from '@/ui/toast';
import { collectionNamesQuery } from '../queries';
import { type Fate, fateOf, readBundle, renamed } from './bundle';
import { useImportCollections } from './queries';
import { UpdateEffects } from './UpdateEffects';

const STRATEGIES: { value: ImportStrategy; label: string }[] = [
  { value: 'error', label: 'Refuse' },
  { value: 'skip', label: 'Leave as they are' },
  { value: 'update', label: 'Update' },
];

const FATES: Record<Fate, { label: string; color: string }> = {
  new: { label: 'New', color: 'brand' },
  update: { label: 'Updated', color: 'blue' },
  skip: { label: 'Left as it is', color: 'gray' },
  refuse: { label: 'Name is taken', color: 'red' },
};

/** A file, what it holds and what will become of it, before anything happens. */
export function ImportCollections({ onClose }: { onClose: () => void }) {
  const [bundle, setBundle] = useState<CollectionExport | null>(null);
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const [names, setNames] = useState<Record<string, string>>({});
  const [strategy, setStrategy] = useState<ImportStrategy>('error');
  const existing = useQuery(collectionNamesQuery).data?.names ?? [];
  const job = useImportCollections();
  const read = async (file: File | null) => {
    job.reset();
    setBundle(null);
    setNames({});
    setUnreadable(null);
    if (!file) return;
    try {
      setBundle(readBundle(await file.text()));
    } catch (error) {
      setUnreadable(messageOf(error));
    }
  };
  const fates = bundle?.collections.map(({ name }) => fateOf(names[name] ?? name, existing, strategy)) ?? [];
  const refused = fates.includes('refuse');
  const submit = () => {
    if (!bundle) return;
    job.mutate(
      { data: renamed(bundle, names), strategy },
      {
        onSuccess: (result) => {
          toast.done(
            `Imported ${formatNumber(result.imported_count)}, updated ${formatNumber(result.updated_count)}, left ${formatNumber(result.skipped_count)} as they were.`,
          );
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title="Import collections" size="lg">
      <Stack gap="sm">
        <FileInput
          label="File"
          description="Definitions that were exported from a server. Records are not in them."
          placeholder="Choose a file"
          accept=".json,application/json"
          leftSection={<IconFileUpload size={16} />}
          error={unreadable}
          onChange={(file) => void read(file)}
        />
        {bundle && (
          <>
            <Group gap="xs">
              <Text>Collections whose name is taken</Text>
              <SegmentedControl
                aria-label="Collections whose name is taken"
                data={STRATEGIES}
                value={strategy}
                onChange={setStrategy}
              />
            </Group>
            <Table className="sb-table">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>In the file</Table.Th>
                  <Table.Th>Name here</Table.Th>
                  <Table.Th>What happens</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {bundle.collections.map(({ name, schema }, index) => (
                  <BundleRow
                    key={name}
                    name={name}
                    schema={schema as FieldDefinition[]}
                    here={names[name] ?? name}
                    fate={fates[index] ?? 'new'}
                    onName={(here) => setNames({ ...names, [name]: here })}
                  />
                ))}
              </Table.Tbody>
            </Table>
            <Text fz="sm" c="dimmed">
              {strategy === 'update' ? 'An update sets fields and rules as the file says; fields that the file lacks are refused. ' : ''}
              All of the file is imported, or nothing.
            </Text>
          </>
        )}
        <ErrorPanel error={job.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button disabled={!bundle || refused} loading={job.isPending} onClick={submit}>
            {bundle ? `Import ${plural(bundle.collections.length, 'collection')}` : 'Import'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

interface RowProps {
  name: string;
  schema: FieldDefinition[];
  here: string;
  fate: Fate;
  onName: (here: string) => void;
}

function BundleRow({ name, schema, here, fate, onName }: RowProps) {
  return (
    <>
      <Table.Tr>
        <Table.Td>
          <span className="mono">{name}</span>
          <Text span c="dimmed" fz="sm">
            , {plural(schema.length, 'field')}
          </Text>
        </Table.Td>
        <Table.Td>
          <TextInput
            aria-label={`Name of ${name} here`}
            classNames={{ input: 'mono' }}
            my={2}
            autoComplete="off"
            spellCheck={false}
            value={here}
            onChange={(event) => onName(event.currentTarget.value)}
          />
        </Table.Td>
        <Table.Td>
          <Badge color={FATES[fate].color}>{FATES[fate].label}</Badge>
        </Table.Td>
      </Table.Tr>
      {fate === 'update' && (
        <Table.Tr>
          <Table.Td colSpan={3} p={0}>
            <UpdateEffects name={here} schema={schema} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}
