import { Badge, Group, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { api } from '@/api/client';
import type { Setting, SettingList } from '@/api/types';
import type { SettingsSearch } from '@/app/search';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Page } from '@/ui/Page';
import { SearchBox } from '@/ui/SearchBox';
import { TableSkeleton } from '@/ui/TableSkeleton';
import classes from './settings.module.css';
import { bySection, matching } from './sections';

const route = getRouteApi('/app/settings');

const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: ({ signal }) => api.get<SettingList>('/admin/settings', { signal }),
});

export function SettingsPage() {
  const { search = '', changed } = route.useSearch();
  const navigate = route.useNavigate();
  const settings = useQuery(settingsQuery);
  const update = (patch: SettingsSearch) => void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const sections = bySection(matching(settings.data?.items ?? [], search, changed ?? false));
  return (
    <Page crumbs={[{ label: 'Settings' }]} flush>
      <Group p="xs" px="md" gap="md">
        <SearchBox label="Search settings" value={search} onChange={(text) => update({ search: text || undefined })} />
        <Switch label="Changed only" checked={changed ?? false} onChange={(event) => update({ changed: event.currentTarget.checked || undefined })} />
      </Group>
      <Text c="dimmed" px="md" pb="sm">
        Settings are read when the server starts: from snackbase.toml, from variables, from flags. Change them there, and start it again.
      </Text>
      {settings.error && <ErrorPanel inset error={settings.error} onRetry={() => void settings.refetch()} />}
      <Stack gap="lg" pb="md">
        {settings.isPending && <Section name="Loading" items={[]} loading />}
        {sections.map(([name, items]) => (
          <Section key={name} name={name} items={items} />
        ))}
        {settings.data && sections.length === 0 && (
          <Text px="md" c="dimmed">
            No such setting.
          </Text>
        )}
      </Stack>
    </Page>
  );
}

function Section({ name, items, loading = false }: { name: string; items: Setting[]; loading?: boolean }) {
  return (
    <section aria-label={name}>
      <Title order={2} px="md" pb={6} className="mono">
        {name}
      </Title>
      <Table className={`sb-table ${classes.table ?? ''}`} layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w="25%">Setting</Table.Th>
            <Table.Th w="25%">Value</Table.Th>
            <Table.Th w={132}>From</Table.Th>
            <Table.Th>What it does</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {loading && <TableSkeleton rows={8} columns={4} />}
          {items.map((setting) => (
            <Row key={setting.key} setting={setting} />
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function Row({ setting }: { setting: Setting }) {
  const { key, value, default: usual, origin, description, variable } = setting;
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <span className="mono ellipsis">{key.slice(key.indexOf('.') + 1)}</span>
          {variable && <CopyText value={variable} icon />}
        </Group>
      </Table.Td>
      <Table.Td>
        <Text className="mono ellipsis" title={value ?? undefined} c={origin === 'default' ? 'dimmed' : undefined}>
          {value ?? 'set, not shown'}
        </Text>
      </Table.Td>
      <Table.Td>
        {origin === 'default' ? <Text span fz="sm" c="dimmed">default</Text> : <Badge>{origin}</Badge>}
      </Table.Td>
      <Table.Td>
        <Text fz="sm">{description}</Text>
        {origin !== 'default' && (
          <Text fz="xs" c="dimmed" className="ellipsis">
            Default: <span className="mono">{usual}</span>
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
