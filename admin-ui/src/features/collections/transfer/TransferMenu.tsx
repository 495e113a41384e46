import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { IconDotsVertical, IconDownload, IconUpload } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { toast } from '@/ui/toast';
import { useExportCollections } from './queries';

const ImportCollections = lazy(() => import('./ImportCollections').then((module) => ({ default: module.ImportCollections })));

export function TransferMenu() {
  const [importing, setImporting] = useState(false);
  const exporting = useExportCollections();
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Tooltip label="More">
            <ActionIcon aria-label="More about collections" size={32} loading={exporting.isPending}>
              <IconDotsVertical size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUpload size={16} />} onClick={() => setImporting(true)}>
            Import collections
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={16} />}
            onClick={() => exporting.mutate({ name: 'all' }, { onError: (error) => toast.failed(error) })}
          >
            Export all collections
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{importing && <ImportCollections onClose={() => setImporting(false)} />}</Suspense>
    </>
  );
}
