import { Badge } from '@mantine/core';
import { IconLock, IconUserCheck, IconUsers, IconUserStar, IconWorld } from '@tabler/icons-react';
import type { Who } from './rule-summary';

const LOOKS = {
  nobody: { label: 'Nobody but superadmins', color: 'gray', icon: IconLock },
  everyone: { label: 'Everyone', color: 'orange', icon: IconWorld },
  'signed-in': { label: 'Signed-in users', color: 'blue', icon: IconUsers },
  owner: { label: 'Owner only', color: 'brand', icon: IconUserCheck },
  some: { label: 'Some signed-in users', color: 'brand', icon: IconUserStar },
} as const;

/** Who is let in, in two words; the sentence below says it exactly. */
export function WhoBadge({ who }: { who: Who }) {
  const { label, color, icon: Icon } = LOOKS[who];
  return (
    <Badge color={color} leftSection={<Icon size={13} aria-hidden />}>
      {label}
    </Badge>
  );
}
