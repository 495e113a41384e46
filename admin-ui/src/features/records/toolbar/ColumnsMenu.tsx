import { ActionIcon, Checkbox, Menu, Tooltip } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import type { Columns } from '../columns';

export function ColumnsMenu({ columns }: { columns: Columns }) {
  const names = columns.shown.map((column) => column.name);
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
        {columns.all.map(({ name }) => {
          const on = names.includes(name);
          return (
            <Menu.Item
              key={name}
              role="menuitemcheckbox"
              aria-checked={on}
              leftSection={<Checkbox.Indicator size="xs" checked={on} aria-hidden />}
              className="mono"
              disabled={on && names.length === 1}
              onClick={() => columns.toggle(name)}
            >
              {name}
            </Menu.Item>
          );
        })}
        <Menu.Divider />
        <Menu.Item onClick={columns.reset}>Show the default columns</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
