import { Button, Group, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { exchange } from '@/api/client';
import { refreshRecords } from '@/features/records/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { JsonInput, parseJson } from '@/ui/JsonInput';
import { ExchangeView } from './ExchangeView';
import { type Call, chosen, pathOf } from './call';
import type { Parameter } from './document';

interface Props {
  call: Call;
  parameters: Parameter[];
  onChange: (call: Call) => void;
}

/** Sends the call with one's own token and shows what really comes back. */
export function TryIt({ call, parameters, onChange }: Props) {
  const queries = useQueryClient();
  const [text, setText] = useState(call.body === undefined ? '' : JSON.stringify(call.body, null, 2));
  const { method, path } = call.entry;
  const writes = method !== 'get';
  const needsId = path.includes('{id}');
  const send = useMutation({
    mutationFn: () => exchange(method.toUpperCase(), pathOf(call), { query: chosen(call.query), body: call.body }),
    onSuccess: () => (writes ? refreshRecords(queries, call.collection) : undefined),
  });
  const hasBody = call.body !== undefined;
  const broken = hasBody && !parseJson(text).ok;
  return (
    <Stack gap="sm" component="section" aria-label="Try it">
      <Title order={3}>Try it</Title>
      <Text c="dimmed" fz="sm">
        With your own token, which passes every rule. {writes && 'What is written is really written.'}
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {needsId && <Input label="id" required value={call.id} onChange={(id) => onChange({ ...call, id })} />}
        {parameters
          .filter((parameter) => parameter.in === 'query')
          .map(({ name, required }) => (
            <Input key={name} label={name} required={required} value={call.query[name] ?? ''} onChange={(value) => onChange({ ...call, query: { ...call.query, [name]: value } })} />
          ))}
      </SimpleGrid>
      {hasBody && (
        <JsonInput
          label="Body"
          minRows={4}
          value={text}
          onChange={(next) => {
            setText(next);
            const parsed = parseJson(next);
            if (parsed.ok) onChange({ ...call, body: parsed.value });
          }}
        />
      )}
      <Group gap="sm">
        <Button color={method === 'delete' ? 'red' : undefined} loading={send.isPending} disabled={broken || (needsId && call.id === '')} onClick={() => send.mutate()}>
          {`Send ${method.toUpperCase()}`}
        </Button>
        {needsId && call.id === '' && <Text c="dimmed" fz="sm">The collection has no record yet; give the id of one.</Text>}
      </Group>
      <ErrorPanel error={send.error} />
      {send.data && <ExchangeView exchange={send.data} />}
    </Stack>
  );
}

function Input({ label, required, value, onChange }: { label: string; required?: boolean; value: string; onChange: (value: string) => void }) {
  return (
    <TextInput
      label={label}
      withAsterisk={required}
      classNames={{ input: 'mono' }}
      autoComplete="off"
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
