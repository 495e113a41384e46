import { Alert, Button, Group, Select, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '@/api/session';
import type { Collection } from '@/api/types';
import { useNewestRecord } from '@/features/records/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { JsonInput, parseJson } from '@/ui/JsonInput';
import { useTestRule } from './queries';
import { sampleRecord } from './sample-record';
import { type Operation, OPERATIONS, type RuleDrafts, ruleOf } from './rule-state';

const PEOPLE_FIELDS = [
  { key: 'id', label: 'User id' },
  { key: 'email', label: 'E-mail' },
  { key: 'role', label: 'Role' },
  { key: 'account_id', label: 'Account id' },
  { key: 'groups', label: 'Groups, separated by commas' },
] as const;

/** Tries the rules as they stand in the form, saved or not, for an imagined caller. */
export function RuleTester({ collection, drafts }: { collection: Collection; drafts: RuleDrafts }) {
  const { session } = useSession();
  const test = useTestRule();
  const newest = useNewestRecord(collection.name);
  const [operation, setOperation] = useState<Operation>('list');
  const [person, setPerson] = useState({ id: session?.userId ?? '', email: '', role: 'user', account_id: '', groups: '' });
  const [record, setRecord] = useState(() => sampleRecord(collection.schema, session?.userId ?? ''));
  const [data, setData] = useState('{}');
  const rule = ruleOf(drafts[operation]);
  const parsed = { record: parseJson(record), data: parseJson(data) };
  const ready = rule !== null && parsed.record.ok && parsed.data.ok;
  const run = () => {
    if (rule === null || !parsed.record.ok || !parsed.data.ok) return;
    const groups = person.groups.split(',').map((group) => group.trim()).filter(Boolean);
    test.mutate({ rule, context: { auth: { ...person, groups }, record: parsed.record.value, data: parsed.data.value } });
  };
  return (
    <section className="sb-panel" aria-label="Try a rule">
      <header>
        <Title order={2} size="h3">Try a rule</Title>
      </header>
      <Stack gap="sm" p="sm">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
          <Select
            label="Rule"
            allowDeselect={false}
            data={[...OPERATIONS]}
            value={operation}
            onChange={(value) => {
              test.reset();
              setOperation(OPERATIONS.find((known) => known === value) ?? 'list');
            }}
          />
          {PEOPLE_FIELDS.map(({ key, label }) => (
            <TextInput
              key={key}
              label={label}
              autoComplete="off"
              value={person[key]}
              onChange={(event) => setPerson({ ...person, [key]: event.currentTarget.value })}
            />
          ))}
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <JsonInput label="Record" value={record} onChange={setRecord} minRows={4} />
          <JsonInput label="Data they send" value={data} onChange={setData} minRows={4} />
        </SimpleGrid>
        <Group gap="xs">
          <Button variant="default" disabled={!ready} loading={test.isPending} onClick={run}>
            Try
          </Button>
          <Button
            variant="subtle"
            loading={newest.isFetching}
            onClick={() =>
              void newest.refetch().then(({ data: found }) => {
                if (found) setRecord(JSON.stringify(found, null, 2));
              })
            }
          >
            Fill in the newest record
          </Button>
          {newest.data === null && <Text c="dimmed">There is no record yet.</Text>}
          {rule === null && <Text c="dimmed">This rule is locked: nobody is let in.</Text>}
        </Group>
        <ErrorPanel error={test.error} />
        {test.data && <Verdict allowed={test.data.result} />}
      </Stack>
    </section>
  );
}

function Verdict({ allowed }: { allowed: boolean }) {
  return (
    <Alert
      role="status"
      p="xs"
      color={allowed ? 'brand' : 'red'}
      icon={allowed ? <IconCircleCheck size={18} /> : <IconCircleX size={18} />}
    >
      {allowed ? 'Let in.' : 'Refused.'}
    </Alert>
  );
}
