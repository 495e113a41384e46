import { Badge, Group, Text } from '@mantine/core';
import { IconArrowsSort, IconPencil, IconPlus } from '@tabler/icons-react';
import classes from './SchemaChanges.module.css';
import type { Change } from './schema-diff';

const ICONS = { add: IconPlus, change: IconPencil, order: IconArrowsSort };

/** What saving does, one line for each change, before it is done. */
export function SchemaChanges({ changes }: { changes: Change[] }) {
  return (
    <ul className={classes.list} aria-label="Saving will change">
      {changes.map((change) => {
        const Icon = ICONS[change.kind];
        return (
          <li key={`${change.field} ${change.what}`} className={classes.item} data-kind={change.kind}>
            <Icon size={16} aria-hidden style={{ flex: 'none', marginTop: 2 }} />
            <div>
              <Group gap={6}>
                <span>
                  <span className="mono">{change.field}</span> {change.what}
                </span>
                {change.checked && <Badge color="orange">checked against the data</Badge>}
              </Group>
              <Text fz="sm" c="dimmed">
                {change.effect}
              </Text>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
