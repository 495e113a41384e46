import { ActionIcon, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { formatNumber } from './format';

interface Props {
  page: number;
  /** Whether there may be another page. */
  more: boolean;
  onPage: (page: number) => void;
}

/** Paging where the server does not count; nothing for a single page. */
export function NextPrevious({ page, more, onPage }: Props) {
  if (page === 1 && !more) return null;
  return (
    <Group justify="flex-end" px="md" py={8} gap={4}>
      <ActionIcon aria-label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <IconChevronLeft size={18} />
      </ActionIcon>
      <Text fz="sm" className="tabular" aria-live="polite">
        Page {formatNumber(page)}
      </Text>
      <ActionIcon aria-label="Next page" disabled={!more} onClick={() => onPage(page + 1)}>
        <IconChevronRight size={18} />
      </ActionIcon>
    </Group>
  );
}
