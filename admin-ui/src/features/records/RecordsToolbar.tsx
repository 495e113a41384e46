import { ActionIcon, Button, Checkbox, Group, Menu, Popover, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconColumns3, IconFilter, IconHelpCircle, IconRefresh, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { type useColumns } from './columns';
import { exampleFilters } from './filter-examples';

interface Props {
  filter: string;
  filterError: string | undefined;
  fields: FieldDefinition[];
  columns: ReturnType<typeof useColumns>;
  onFilter: (text: string) => void;
  onRefresh: () => void;
  refreshing: boolean;
}

export function RecordsToolbar({ filter, filterError, fields, columns, onFilter, onRefresh, refreshing }: Props) {
  return (
    <Group p="xs" px="md" gap="xs" wrap="nowrap" align="flex-start">
      <FilterInput key={filter} filter={filter} error={filterError} fields={fields} onFilter={onFilter} />
      <ColumnMenu {...columns} />
      <Tooltip label="Load again">
        <ActionIcon aria-label="Load again" size={32} loading={refreshing} onClick={onRefresh}>
          <IconRefresh size={18} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

type FilterProps = Pick<Props, 'filter' | 'fields' | 'onFilter'> & { error: string | undefined };

/** The text that the API takes, applied with Enter; mounted anew when the address brings another one. */
function FilterInput({ filter, error, fields, onFilter }: FilterProps) {
  const [text, setText] = useState(filter);
  return (
    <form
      style={{ flex: 1, maxWidth: 720 }}
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(text.trim());
      }}
    >
      <TextInput
        aria-label="Filter"
        placeholder="Filter, then Enter"
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
        leftSection={<IconFilter size={16} />}
        rightSectionWidth={text ? 60 : 32}
        rightSection={
          <Group gap={0} wrap="nowrap">
            {text && (
              <ActionIcon aria-label="Clear the filter" onClick={() => (filter ? onFilter('') : setText(''))}>
                <IconX size={16} />
              </ActionIcon>
            )}
            <FilterHelp fields={fields} onPick={setText} />
          </Group>
        }
        value={text}
        error={text === filter ? error : undefined}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </form>
  );
}

function FilterHelp({ fields, onPick }: { fields: FieldDefinition[]; onPick: (text: string) => void }) {
  return (
    <Popover position="bottom-end" width={360}>
      <Popover.Target>
        <ActionIcon aria-label="How filters are written">
          <IconHelpCircle size={16} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6}>
          <Text fw={500}>For example</Text>
          {exampleFilters(fields).map((example) => (
            <Button key={example} variant="default" size="compact-sm" justify="start" className="mono" onClick={() => onPick(example)}>
              {example}
            </Button>
          ))}
          <Text fz="xs" c="dimmed">
            = != &lt; &gt; &lt;= &gt;= ~ IN (…) IS NULL, joined with &amp;&amp; and ||, negated with !. With ~, % stands for any text.
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function ColumnMenu({ all, shown, setChosen }: Props['columns']) {
  const names = shown.map((column) => column.name);
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon aria-label="Columns" size={32}>
            <IconColumns3 size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown mah="min(600px, 70dvh)" style={{ overflowY: 'auto' }}>
        {all.map(({ name }) => {
          const on = names.includes(name);
          return (
            <Menu.Item
              key={name}
              role="menuitemcheckbox"
              aria-checked={on}
              leftSection={<Checkbox.Indicator size="xs" checked={on} aria-hidden />}
              className="mono"
              disabled={on && names.length === 1}
              onClick={() => setChosen(on ? names.filter((other) => other !== name) : [...names, name])}
            >
              {name}
            </Menu.Item>
          );
        })}
        <Menu.Divider />
        <Menu.Item onClick={() => setChosen(null)}>Show the default columns</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
