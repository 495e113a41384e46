import { Badge, Group } from '@mantine/core';
import { IconShieldStar } from '@tabler/icons-react';
import type { User } from '@/api/types';

/** In place of the role, which does not limit a superadmin. */
export function SuperadminBadge() {
  return (
    <Badge color="orange" leftSection={<IconShieldStar size={12} aria-hidden />}>
      superadmin
    </Badge>
  );
}

/** Only what is out of the ordinary: most users are active and verified. */
export function UserState({ user: { is_active, email_verified } }: { user: Pick<User, 'is_active' | 'email_verified'> }) {
  return (
    <Group gap={4} py={2}>
      {!is_active && <Badge color="red" style={{ flex: 'none' }}>deactivated</Badge>}
      {!email_verified && <Badge color="gray" style={{ flex: 'none' }}>not verified</Badge>}
    </Group>
  );
}
