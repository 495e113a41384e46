import { Checkbox, Group, Input, MultiSelect, NumberInput, SegmentedControl, Select, Stack, Switch, TextInput } from '@mantine/core';
import { useId, useMemo } from 'react';
import type { FieldDefinition } from '@/api/types';
import type { PlaygroundSearch } from '@/app/search';
import { filterCompletions } from '@/features/expressions/completions';
import { ExpressionInput } from '@/features/expressions/ExpressionInput';
import { ProblemList } from '@/features/expressions/ProblemList';
import { problemIn } from '@/features/expressions/problems';
import { targetOf } from '@/features/field-types/registry';
import { ActAs } from './ActAs';
import { filterRefusal, type Frame } from './frames';
import { listOf, OPERATIONS } from './wish';

interface Props {
  search: PlaygroundSearch;
  names: string[];
  fields: FieldDefinition[];
  frames: Frame[];
  onChange: (patch: PlaygroundSearch) => void;
}

/** Everything that a subscription can ask for. */
export function WishForm({ search, names, fields, frames, onChange }: Props) {
  const id = useId();
  const completions = useMemo(() => filterCompletions(fields), [fields]);
  const refusal = filterRefusal(frames);
  const problems = refusal === null ? [] : [problemIn(refusal)];
  const text = (key: 'record' | 'expand' | 'since' | 'sort' | 'ref', label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      classNames={{ input: 'mono' }}
      autoComplete="off"
      spellCheck={false}
      value={search[key] ?? ''}
      onChange={(event) => onChange({ [key]: event.currentTarget.value || undefined })}
    />
  );
  const chosen = search.operations === undefined ? [...OPERATIONS] : listOf(search.operations);
  return (
    <Stack gap="sm" component="section" aria-label="Subscription">
      <Select label="Collection" searchable allowDeselect={false} data={names} value={search.collection ?? null} onChange={(name) => onChange({ collection: name ?? undefined, fields: undefined, expand: undefined })} />
      <ActAs userId={search.as} onChange={(as) => onChange({ as })} />
      <Checkbox.Group
        label="Operations"
        value={chosen}
        onChange={(list) => onChange({ operations: list.length === OPERATIONS.length || list.length === 0 ? undefined : OPERATIONS.filter((name) => list.includes(name)).join(',') })}
      >
        <Group gap="md" mt={4}>
          {OPERATIONS.map((name) => (
            <Checkbox key={name} value={name} label={name} />
          ))}
        </Group>
      </Checkbox.Group>
      <div>
        <Input.Label component="div">Filter</Input.Label>
        <ExpressionInput label="Filter" placeholder="All records" value={search.filter ?? ''} onChange={(filter) => onChange({ filter: filter || undefined })} completions={completions} problems={problems} describedBy={id} />
        <ProblemList id={id} problems={problems} />
      </div>
      {text('record', 'Record', 'The id of one record; then the view rule decides')}
      <MultiSelect
        label="Fields"
        placeholder={search.fields === undefined ? 'All fields' : undefined}
        clearable
        searchable
        data={fields.map((field) => field.name)}
        value={listOf(search.fields).filter((name) => fields.some((field) => field.name === name))}
        onChange={(list) => onChange({ fields: list.join(',') || undefined })}
      />
      {fields.some((field) => targetOf(field) !== null) && text('expand', 'Expand', 'References to replace with their records')}
      <Switch label="Include old values" checked={search.old ?? false} onChange={(event) => onChange({ old: event.currentTarget.checked || undefined })} />
      <Switch label="Send a snapshot first" checked={search.snapshot ?? false} onChange={(event) => onChange({ snapshot: event.currentTarget.checked || undefined })} />
      {search.snapshot ? (
        <Group grow align="flex-start" gap="sm">
          {text('sort', 'Sort', 'As in a list')}
          <NumberInput label="Limit" description="1 to 1000" min={1} max={1000} value={search.limit ?? ''} placeholder="100" onChange={(limit) => onChange({ limit: typeof limit === 'number' ? limit : undefined })} />
        </Group>
      ) : (
        text('since', 'Since', 'A cursor: what happened after it comes first')
      )}
      {search.via !== 'sse' && text('ref', 'Ref', 'Stands in every frame; one connection may have several')}
      <SegmentedControl
        aria-label="Connection"
        data={[
          { value: 'ws', label: 'WebSocket' },
          { value: 'sse', label: 'Server-sent events' },
        ]}
        value={search.via ?? 'ws'}
        onChange={(via) => onChange({ via: via === 'sse' ? 'sse' : undefined })}
      />
    </Stack>
  );
}
