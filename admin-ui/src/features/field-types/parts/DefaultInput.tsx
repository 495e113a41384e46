import { Select, TextInput } from '@mantine/core';
import type { DetailsProps } from '../draft';

interface Props extends DetailsProps {
  label?: string;
  mono?: boolean;
  inputMode?: 'decimal';
}

/** The value of a record that was sent none. */
export function DefaultInput({ draft, errors, onChange, label = 'Default', mono, inputMode }: Props) {
  return (
    <TextInput
      label={label}
      placeholder="None"
      autoComplete="off"
      classNames={mono ? { input: 'mono' } : undefined}
      inputMode={inputMode}
      value={draft.defaultText}
      error={errors.default}
      onChange={(event) => onChange({ defaultText: event.currentTarget.value })}
    />
  );
}

export function BooleanDefault({ draft, errors, onChange }: DetailsProps) {
  return (
    <Select
      label="Default"
      placeholder="None"
      clearable
      data={['true', 'false']}
      value={draft.defaultText || null}
      error={errors.default}
      onChange={(value) => onChange({ defaultText: value ?? '' })}
    />
  );
}

export function JsonDefault(props: DetailsProps) {
  return <DefaultInput {...props} label="Default, as JSON" mono />;
}
