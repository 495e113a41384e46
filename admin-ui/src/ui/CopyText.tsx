import { Tooltip, UnstyledButton } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { shortId } from './format';

interface Props {
  value: string;
  /** What to show instead of the whole value; ids are shortened by default. */
  label?: string;
}

export function CopyText({ value, label }: Props) {
  const clipboard = useClipboard({ timeout: 1200 });
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${value}`}>
      <UnstyledButton
        className="mono"
        aria-label={`Copy ${value}`}
        onClick={(event) => {
          event.stopPropagation();
          clipboard.copy(value);
        }}
      >
        {clipboard.copied ? 'copied' : (label ?? shortId(value))}
      </UnstyledButton>
    </Tooltip>
  );
}
