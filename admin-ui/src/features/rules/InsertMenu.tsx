import { Button, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { FieldDefinition } from '@/api/types';
import { SYSTEM_FIELDS } from '@/features/collections/field-types';
import type { Operation } from './rule-state';

const CONDITIONS = [
  "@request.auth.id != ''",
  'created_by = @request.auth.id',
  "@request.auth.role = 'admin'",
  "@has_group('editors')",
];
const CALLER = ['@request.auth.id', '@request.auth.email', '@request.auth.role', '@request.auth.account_id'];

interface Props {
  operation: Operation;
  fields: FieldDefinition[];
  onPick: (text: string) => void;
}

/** What a rule can speak of, so that nobody has to know the names by heart. */
export function InsertMenu({ operation, fields, onPick }: Props) {
  const names = fields.map((field) => field.name);
  const sent = operation === 'create' || operation === 'update' ? names.map((name) => `@request.data.${name}`) : [];
  const groups = [
    { label: 'Conditions', items: CONDITIONS },
    { label: 'The caller', items: CALLER },
    { label: 'The record', items: [...names, ...SYSTEM_FIELDS] },
    { label: 'What they send', items: sent },
  ];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" color="gray" size="compact-xs" rightSection={<IconChevronDown size={14} />}>
          Insert
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah="min(420px, 60dvh)" style={{ overflowY: 'auto' }}>
        {groups.map(({ label, items }) => (
          <div key={label}>
            {items.length > 0 && <Menu.Label>{label}</Menu.Label>}
            {items.map((item) => (
              <Menu.Item key={item} className="mono" onClick={() => onPick(item)}>
                {item}
              </Menu.Item>
            ))}
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
