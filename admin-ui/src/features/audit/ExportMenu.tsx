import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { download } from '@/ui/download';
import { toast } from '@/ui/toast';
import { type AuditFilter, exported, type Format } from './queries';

const FORMATS: { format: Format; label: string; type: string }[] = [
  { format: 'csv', label: 'CSV', type: 'text/csv' },
  { format: 'json', label: 'JSON', type: 'application/json' },
  { format: 'pdf', label: 'PDF', type: 'application/pdf' },
];

/** The rows that are shown, and the pages behind them, as a file. */
export function ExportMenu({ filter }: { filter: AuditFilter }) {
  const work = useMutation({
    mutationFn: async ({ format, type }: { format: Format; type: string }) =>
      download(`audit.${format}`, type, [await exported(format, filter)]),
    onError: (error) => toast.failed(error),
  });
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} />} loading={work.isPending}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map(({ format, label, type }) => (
          <Menu.Item key={format} onClick={() => work.mutate({ format, type })}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
