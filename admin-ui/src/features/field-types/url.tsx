import { IconLink } from '@tabler/icons-react';
import type { FieldType, InputProps } from './definition';
import { LineInput } from './parts/Inputs';
import { text } from './text';

function Input(props: InputProps) {
  return <LineInput {...props} control={{ type: 'url' }} />;
}

export const url: FieldType = {
  ...text,
  label: 'URL',
  hint: 'An address on the web',
  icon: IconLink,
  encryptable: false,
  title: false,
  Input,
  sample: 'https://example.com',
};
