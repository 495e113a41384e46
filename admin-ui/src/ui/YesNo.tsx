import { Group } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';

interface Props {
  value: boolean;
  yes: string;
  no: string;
}

/** A state in words and with a sign, so that it does not hang on colour. */
export function YesNo({ value, yes, no }: Props) {
  const Icon = value ? IconCheck : IconX;
  return (
    <Group component="span" gap={4} wrap="nowrap" c={value ? undefined : 'dimmed'}>
      <Icon size={14} aria-hidden />
      {value ? yes : no}
    </Group>
  );
}
