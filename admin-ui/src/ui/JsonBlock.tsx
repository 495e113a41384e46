import { ActionIcon, Box, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';

export function JsonBlock({ value, maxHeight }: { value: unknown; maxHeight?: number }) {
  const text = JSON.stringify(value, null, 2);
  const clipboard = useClipboard({ timeout: 1200 });
  return (
    <Box pos="relative">
      <pre className="sb-code" style={{ maxHeight, overflow: 'auto' }} tabIndex={0}>
        {text}
      </pre>
      <Tooltip label={clipboard.copied ? 'Copied' : 'Copy JSON'}>
        <ActionIcon pos="absolute" top={4} right={4} aria-label="Copy JSON" onClick={() => clipboard.copy(text)}>
          {clipboard.copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
        </ActionIcon>
      </Tooltip>
    </Box>
  );
}
