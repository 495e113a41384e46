import { Textarea } from '@mantine/core';

type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : 'Not JSON' };
  }
}

interface Props {
  label: string;
  description?: string;
  value: string;
  onChange: (value: string) => void;
  error?: string;
  minRows?: number;
  required?: boolean;
}

/** Text that has to be JSON; says so as soon as it is not, and tidies it when left. */
export function JsonInput({ label, description, value, onChange, error, minRows = 2, required }: Props) {
  const parsed = value.trim() === '' ? null : parseJson(value);
  return (
    <Textarea
      label={label}
      description={description}
      classNames={{ input: 'mono' }}
      autosize
      minRows={minRows}
      maxRows={16}
      spellCheck={false}
      autoComplete="off"
      withAsterisk={required}
      value={value}
      error={parsed && !parsed.ok ? parsed.message : error}
      onChange={(event) => onChange(event.currentTarget.value)}
      onBlur={() => {
        if (parsed?.ok) onChange(JSON.stringify(parsed.value, null, 2));
      }}
    />
  );
}
