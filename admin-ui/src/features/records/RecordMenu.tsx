import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconBraces, IconCode, IconDotsVertical, IconTerminal2 } from '@tabler/icons-react';
import type { RecordRow } from '@/api/types';
import { toast } from '@/ui/toast';
import { recordAsCurl, recordAsSdk } from './snippets';

/** One record for use elsewhere. */
export function RecordMenu({ collection, record }: { collection: string; record: RecordRow }) {
  const clipboard = useClipboard();
  const copy = (text: string, message: string) => {
    clipboard.copy(text);
    toast.done(message);
  };
  const withToken = 'Copied. Put a token in place of $TOKEN, or sign in with the client.';
  const { origin } = window.location;
  return (
    <Menu position="bottom-end" width={232}>
      <Menu.Target>
        <Tooltip label="More">
          <ActionIcon aria-label="More about this record">
            <IconDotsVertical size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconBraces size={16} />} onClick={() => copy(JSON.stringify(record, null, 2), 'Copied the record.')}>
          Copy as JSON
        </Menu.Item>
        <Menu.Item leftSection={<IconTerminal2 size={16} />} onClick={() => copy(recordAsCurl(origin, collection, record.id), withToken)}>
          Copy as curl
        </Menu.Item>
        <Menu.Item leftSection={<IconCode size={16} />} onClick={() => copy(recordAsSdk(origin, collection, record.id), withToken)}>
          Copy for the SDK
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
