import { ActionIcon, Box, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';

interface Props {
  text: string;
  /** What is copied, as the button says it. */
  what?: string;
  maxHeight?: number;
  /** For long texts; the lines of a program stay as they are. */
  wrap?: boolean;
}

/** Text to read and to take along. */
export function CodeBlock({ text, what = 'code', maxHeight, wrap = false }: Props) {
  const clipboard = useClipboard({ timeout: 1200 });
  return (
    <Box pos="relative">
      <pre className="sb-code" style={{ maxHeight, overflow: 'auto', paddingRight: 40, ...(!wrap && { whiteSpace: 'pre' }) }} tabIndex={0}>
        {text}
      </pre>
      <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${what}`}>
        <ActionIcon pos="absolute" top={4} right={4} bg="var(--sb-surface)" aria-label={`Copy ${what}`} onClick={() => clipboard.copy(text)}>
          {clipboard.copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
        </ActionIcon>
      </Tooltip>
    </Box>
  );
}
