import { Button, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { FieldDefinition } from '@/api/types';
import type { FieldType } from '@/features/field-types/definition';
import { fieldType, valueType } from '@/features/field-types/registry';
import type { Operation } from './rule-state';

interface Preset {
  label: string;
  rule: string;
}

/** Rules that most collections begin with, as far as they fit this one. */
export function presetsFor(operation: Operation, fields: FieldDefinition[]): Preset[] {
  const named = (name: string, like: FieldType) => fields.some((field) => field.name === name && valueType(field) === like);
  const flag = ['public', 'published', 'is_public', 'visible'].find((name) => named(name, fieldType('boolean')));
  const owner = ['owner', 'user', 'assignee', 'author_id'].find((name) => named(name, fieldType('text')));
  return [
    { label: 'Signed-in users', rule: '@request.auth.id != null' },
    { label: 'The creator of the record', rule: '@owns_record' },
    { label: 'The creator and administrators', rule: "@owns_record || @has_role('admin')" },
    { label: 'Administrators', rule: "@has_role('admin')" },
    { label: 'Members of a group', rule: "@has_group('editors')" },
    ...(flag && operation !== 'create' ? [{ label: `Signed-in users, if ${flag}`, rule: `${flag} = true || @owns_record` }] : []),
    ...(owner ? [{ label: `The user named in ${owner}`, rule: `@owns_record(${owner})` }] : []),
  ];
}

interface Props {
  operation: Operation;
  fields: FieldDefinition[];
  onPick: (rule: string) => void;
}

export function Presets({ operation, fields, onPick }: Props) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" color="gray" size="compact-xs" style={{ flex: 'none' }} rightSection={<IconChevronDown size={14} />}>
          Examples
        </Button>
      </Menu.Target>
      <Menu.Dropdown maw={420}>
        {presetsFor(operation, fields).map(({ label, rule }) => (
          <Menu.Item key={rule} onClick={() => onPick(rule)}>
            {label}
            <div className="mono" style={{ color: 'var(--mantine-color-dimmed)' }}>
              {rule}
            </div>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
