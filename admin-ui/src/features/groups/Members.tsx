import { ActionIcon, Group as Row, Select, Stack, Text, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { GroupDetail } from '@/api/types';
import { usersQuery } from '@/features/users/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { useMembership } from './queries';

export function Members({ group }: { group: GroupDetail }) {
  const membership = useMembership(group.id);
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  const found = useQuery(usersQuery({ account_id: group.account_id, search: settled || undefined, page: 1, page_size: 20 }));
  const members = new Set(group.users.map((user) => user.id));
  const candidates = found.data?.items.filter((user) => !members.has(user.id)) ?? [];
  return (
    <section aria-label="Members">
      <Stack gap="xs">
        <Title order={2}>{plural(group.users.length, 'member')}</Title>
        <Select
          aria-label="Add a member"
          placeholder="Add a member"
          searchable
          data={candidates.map((user) => ({ value: user.id, label: user.email }))}
          filter={({ options }) => options}
          nothingFoundMessage={found.isPending ? 'Loading' : 'Nobody else in this account'}
          searchValue={search}
          onSearchChange={setSearch}
          value={null}
          onChange={(user) => {
            if (user) membership.mutate({ user, member: true });
          }}
        />
        <ErrorPanel error={membership.error ?? found.error} />
        {group.users.map((user) => (
          <Row key={user.id} justify="space-between" wrap="nowrap">
            <Text fz="sm" className="ellipsis">
              {user.email}
            </Text>
            <ActionIcon aria-label={`Remove ${user.email}`} onClick={() => membership.mutate({ user: user.id, member: false })}>
              <IconX size={16} />
            </ActionIcon>
          </Row>
        ))}
      </Stack>
    </section>
  );
}
