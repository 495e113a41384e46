import { Button, Collapse, Group, Select, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useSession } from '@/api/session';
import type { Collection, UserDetail } from '@/api/types';
import { recordQuery, useNewestRecord } from '@/features/records/queries';
import { ReferencePicker } from '@/features/records/ReferencePicker';
import { UserPicker } from '@/features/users/UserPicker';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { ErrorWords } from '@/ui/ErrorWords';
import { JsonInput, parseJson } from '@/ui/JsonInput';
import { PersonFields } from './PersonFields';
import { useTestRule } from './queries';
import { type Operation, OPERATIONS, type RuleDrafts, ruleOf } from './rule-state';
import { sampleRecord } from './sample-record';
import { callerOf, type Person, verdictOf } from './tester';
import { Verdict } from './Verdict';

/** Tries the rules as they stand in the form, saved or not, for a real or an imagined caller. */
export function RuleTester({ collection, drafts }: { collection: Collection; drafts: RuleDrafts }) {
  const { session } = useSession();
  const queries = useQueryClient();
  const test = useTestRule();
  const newest = useNewestRecord(collection.name);
  const [operation, setOperation] = useState<Operation>('list');
  const [user, setUser] = useState<UserDetail | null>(null);
  const [person, setPerson] = useState<Person>({ id: session?.userId ?? '', email: session?.email ?? '', role: 'user', account_id: '', groups: '' });
  const [recordId, setRecordId] = useState('');
  const [problem, setProblem] = useState<unknown>(null);
  const [record, setRecord] = useState(() => sampleRecord(collection.schema, session?.userId ?? ''));
  const [data, setData] = useState('{}');
  const [details, setDetails] = useState(false);
  const rule = ruleOf(drafts[operation]);
  const parsed = { record: parseJson(record), data: parseJson(data) };
  const ready = parsed.record.ok && parsed.data.ok;
  const known = verdictOf(rule);
  const run = () => {
    if (rule === null || !parsed.record.ok || !parsed.data.ok) return;
    test.mutate({ rule, context: { auth: callerOf(person), record: parsed.record.value, data: parsed.data.value, fields: collection.schema } });
  };
  /** A verdict about something else must not stay. */
  const touch = <T,>(set: (value: T) => void) => (value: T) => {
    test.reset();
    set(value);
  };
  const pickRecord = async (id: string) => {
    test.reset();
    setRecordId(id);
    setProblem(null);
    if (id === '') return;
    try {
      setRecord(JSON.stringify(await queries.query(recordQuery(collection.name, id)), null, 2));
    } catch (error) {
      setProblem(error);
    }
  };
  const pickUser = (picked: UserDetail | null) => {
    test.reset();
    setUser(picked);
    if (picked) {
      const { id, email, role_name: role, account_id, groups } = picked;
      setPerson({ id, email, role, account_id, groups: groups.join(', ') });
    }
  };
  return (
    <section className="sb-panel" aria-label="Try a rule">
      <header>
        <Title order={2} size="h3">Try a rule</Title>
      </header>
      <Stack gap="sm" p="sm">
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
          <Select
            label="Rule"
            allowDeselect={false}
            data={[...OPERATIONS]}
            value={operation}
            onChange={touch((value: Operation | null) => setOperation(value ?? 'list'))}
          />
          <UserPicker label="User" value={user} onChange={pickUser} />
          <ReferencePicker label="Record" target={collection.name} value={recordId} error={problem ? <ErrorWords error={problem} /> : undefined} onChange={(id) => void pickRecord(id)} />
        </SimpleGrid>
        <Collapse expanded={details} transitionDuration={0}>
          {details && (
            <Stack gap="sm">
              <PersonFields person={person} onChange={touch(setPerson)} />
              <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
                <JsonInput label="Record, as JSON" value={record} onChange={touch(setRecord)} minRows={4} />
                <JsonInput label="Data sent" value={data} onChange={touch(setData)} minRows={4} />
              </SimpleGrid>
            </Stack>
          )}
        </Collapse>
        <Group gap="xs">
          <Button variant="default" disabled={!ready || known !== null} loading={test.isPending} onClick={run}>
            Try
          </Button>
          <Button variant="subtle" aria-expanded={details} onClick={() => setDetails(!details)}>
            {details ? 'Hide details' : 'Edit details'}
          </Button>
          <Button
            variant="subtle"
            loading={newest.isFetching}
            onClick={() => void newest.refetch().then(({ data: found }) => found && pickRecord(found.id))}
          >
            Use the newest record
          </Button>
          {newest.data === null && <Text c="dimmed">There are no records yet.</Text>}
        </Group>
        <ErrorPanel error={test.error} />
        {known && <Verdict allowed={known.allowed}>{known.why}</Verdict>}
        {!known && test.data && (
          <Verdict allowed={test.data.result}>
            {person.email || 'This caller'} {test.data.result ? 'may' : 'may not'} {operation} {recordId === '' ? 'such a record' : 'this record'}.
          </Verdict>
        )}
      </Stack>
    </section>
  );
}
