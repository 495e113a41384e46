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
  const shown = clipboard.copied ? 'copied' : shortId(value);
  const Icon = clipboard.copied ? IconCheck : IconCopy;
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${value}`} position="bottom">
      <UnstyledButton
        className={icon ? 'sb-copy' : 'mono'}
        // The name begins with what is seen, so that it can be spoken to.
        aria-label={icon ? `Copy ${value}` : `${shown}, copy`}
        onClick={(event) => {
          event.stopPropagation();
          clipboard.copy(value);
        }}
      >
        {icon ? <Icon size={14} aria-hidden /> : shown}
      </UnstyledButton>
    </Tooltip>
  );
}
