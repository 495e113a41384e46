import { ActionIcon, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { formatNumber } from './format';

interface Props {
  page: number;
  pageSize: number;
  total: number | undefined;
  onPage: (page: number) => void;
}

export function PagingBar({ page, pageSize, total, onPage }: Props) {
  // An empty list says so itself.
  if (total === 0) return null;
  const count = total ?? 0;
  const pages = Math.max(1, Math.ceil(count / pageSize));
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(page * pageSize, count);
  return (
    <Group justify="space-between" px="md" py={8} gap="xs" style={{ visibility: total === undefined ? 'hidden' : undefined }}>
      <Text c="dimmed" fz="sm" className="tabular" aria-live="polite">
        {formatNumber(first)}–{formatNumber(last)} of {formatNumber(count)}
      </Text>
      <Group gap={4}>
        <ActionIcon aria-label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
          <IconChevronLeft size={18} />
        </ActionIcon>
        <Text fz="sm" className="tabular">
          Page {formatNumber(page)} of {formatNumber(pages)}
        </Text>
        <ActionIcon aria-label="Next page" disabled={page >= pages} onClick={() => onPage(page + 1)}>
          <IconChevronRight size={18} />
        </ActionIcon>
      </Group>
    </Group>
  );
}
