import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCode, IconDotsVertical, IconDownload, IconTerminal2, IconUpload } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { toast } from '@/ui/toast';
import type { ListQuery } from '../queries';
import { listAsCurl, listAsSdk } from '../snippets';

const ExportDialog = lazy(() => import('../transfer/ExportDialog').then((module) => ({ default: module.ExportDialog })));
const ImportDialog = lazy(() => import('../transfer/ImportDialog').then((module) => ({ default: module.ImportDialog })));

interface Props {
  collection: string;
  fields: FieldDefinition[];
  columns: string[];
  list: ListQuery;
}

/** What one does now and then. */
export function MoreMenu({ collection, fields, columns, list }: Props) {
  const [dialog, setDialog] = useState<'import' | 'export' | null>(null);
  const clipboard = useClipboard();
  const copy = (text: string) => {
    clipboard.copy(text);
    toast.done('Copied. Put a token in place of $TOKEN, or sign in with the client.');
  };
  const origin = window.location.origin;
  const request = { collection, ...list };
  return (
    <>
      <Menu position="bottom-end" width={248}>
        <Menu.Target>
          <Tooltip label="More">
            <ActionIcon aria-label="More about these records" size={32}>
              <IconDotsVertical size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUpload size={16} />} onClick={() => setDialog('import')}>
            Import CSV or JSON
          </Menu.Item>
          <Menu.Item leftSection={<IconDownload size={16} />} onClick={() => setDialog('export')}>
            Export CSV or JSON
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconTerminal2 size={16} />} onClick={() => copy(listAsCurl(origin, request))}>
            Copy this list as curl
          </Menu.Item>
          <Menu.Item leftSection={<IconCode size={16} />} onClick={() => copy(listAsSdk(origin, request))}>
            Copy this list for the SDK
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>
        {dialog === 'import' && <ImportDialog collection={collection} fields={fields} onClose={() => setDialog(null)} />}
        {dialog === 'export' && <ExportDialog {...{ collection, fields, columns, list }} onClose={() => setDialog(null)} />}
      </Suspense>
    </>
  );
}
