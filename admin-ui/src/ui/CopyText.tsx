import { Tooltip, UnstyledButton } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { shortId } from './format';

interface Props {
  value: string;
  /** Shows an icon that appears on hover, where the value itself stands next to it. */
  icon?: boolean;
}

export function CopyText({ value, icon = false }: Props) {
  const clipboard = useClipboard({ timeout: 1200 });
  const Icon = clipboard.copied ? IconCheck : IconCopy;
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${value}`}>
      <UnstyledButton
        className={icon ? 'sb-copy' : 'mono'}
        aria-label={`Copy ${value}`}
        onClick={(event) => {
          event.stopPropagation();
          clipboard.copy(value);
        }}
      >
        {icon ? <Icon size={14} aria-hidden /> : clipboard.copied ? 'copied' : shortId(value)}
      </UnstyledButton>
    </Tooltip>
  );
}
