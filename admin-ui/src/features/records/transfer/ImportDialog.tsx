import { Button, FileInput, Group, Modal, Select, Stack, Table, Text } from '@mantine/core';
import { IconFileUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { messageOf } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { useAccountScope } from '@/features/accounts/scope';
import { SYSTEM_ACCOUNT, SYSTEM_ACCOUNT_LABEL } from '@/features/accounts/system-account';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { JobProgress } from '@/ui/JobProgress';
import { isEditable } from '@/features/field-types/registry';
import { ImportReport } from './ImportReport';
import { guessMapping, type Mapping, readSource, type Source } from './import-rows';
import { useImport } from './use-import';

interface Props {
  collection: string;
  fields: FieldDefinition[];
  onClose: () => void;
}

export function ImportDialog({ collection, fields, onClose }: Props) {
  const [source, setSource] = useState<Source | null>(null);
  const [mapping, setMapping] = useState<Mapping>({});
  const [account, setAccount] = useState<string | null>(useAccountScope() ?? null);
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const job = useImport(collection, fields);
  const read = async (file: File | null) => {
    job.reset();
    setSource(null);
    setUnreadable(null);
    if (!file) return;
    try {
      const next = readSource(file.name, await file.text());
      setSource(next);
      setMapping(guessMapping(next.names, fields));
    } catch (error) {
      setUnreadable(messageOf(error));
    }
  };
  const used = Object.values(mapping).filter((field) => field !== null).length;
  const close = () => {
    job.stop();
    onClose();
  };
  return (
    <Modal opened onClose={close} title={`Import into ${collection}`} size="lg">
      <Stack gap="sm">
        <FileInput
          label="File"
          description="CSV with a line of names, or JSON with a list of records."
          placeholder="Choose a file"
          accept=".csv,.json,text/csv,application/json"
          leftSection={<IconFileUpload size={16} />}
          error={unreadable}
          disabled={job.running}
          onChange={(file) => void read(file)}
        />
        {source && !job.outcome && (
          <>
            <MappingTable source={source} mapping={mapping} fields={fields} onChange={setMapping} />
            <AccountPicker system={SYSTEM_ACCOUNT_LABEL} description="The account that will own the records." value={account} onChange={setAccount} />
            {account !== null && account !== SYSTEM_ACCOUNT && (
              <Text fz="sm" c="dimmed">
                Records of an account are sent one by one, which takes longer than a batch.
              </Text>
            )}
          </>
        )}
        {job.running && <JobProgress label="Importing" done={job.handled} total={source?.rows.length ?? 0} onStop={job.stop} />}
        <ErrorPanel error={job.error} />
        {job.outcome && <ImportReport collection={collection} outcome={job.outcome} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            {job.outcome ? 'Close' : 'Cancel'}
          </Button>
          {!job.outcome && (
            <Button
              disabled={!source || used === 0 || account === null}
              loading={job.running}
              onClick={() => source && account !== null && job.start(source, mapping, account)}
            >
              {source ? `Import ${plural(source.rows.length, 'record')}` : 'Import'}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

interface MappingProps {
  source: Source;
  mapping: Mapping;
  fields: FieldDefinition[];
  onChange: (mapping: Mapping) => void;
}

/** Which column of the file fills which field, with a value as an example. */
function MappingTable({ source, mapping, fields, onChange }: MappingProps) {
  const names = fields.filter(isEditable).map((field) => field.name);
  const example = (name: string) => source.rows.map((row) => row[name]).find((value) => value !== undefined && value !== null && value !== '');
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));
  return (
    <Table className="sb-table" layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>In the file</Table.Th>
          <Table.Th>For example</Table.Th>
          <Table.Th w="42%">Field</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {source.names.map((name) => (
          <Table.Tr key={name}>
            <Table.Td className="mono ellipsis">{name}</Table.Td>
            <Table.Td className="ellipsis" c="dimmed">{shown(example(name))}</Table.Td>
            <Table.Td>
              <Select
                aria-label={`Field for ${name}`}
                placeholder="Leave out"
                clearable
                searchable
                my={2}
                data={names}
                value={mapping[name] ?? null}
                onChange={(field) => onChange({ ...mapping, [name]: field })}
              />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
