import { CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useOutside } from './use-outside';

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Shares its row with others on narrow pages, too. */
  shared?: boolean;
}

/** Types at once, searches after a short pause. A value from outside replaces what stands in it. */
export function SearchBox({ label, value, onChange, shared = false }: Props) {
  const [text, setText] = useOutside(value);
  const settle = useDebouncedCallback(onChange, 250);
  const change = (next: string) => {
    setText(next);
    settle(next);
  };
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      leftSection={<IconSearch size={16} />}
      rightSection={text && <CloseButton size="sm" aria-label="Clear" onClick={() => change('')} />}
      w={{ base: shared ? 'auto' : '100%', xs: 260 }}
      flex={shared ? { base: 1, xs: 'none' } : undefined}
    />
  );
}
