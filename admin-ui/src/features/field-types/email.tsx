import { IconAt } from '@tabler/icons-react';
import type { FieldType, InputProps } from './definition';
import { LineInput } from './parts/Inputs';
import { text } from './text';

function Input(props: InputProps) {
  return <LineInput {...props} control={{ type: 'email' }} />;
}

export const email: FieldType = {
  ...text,
  label: 'E-mail',
  hint: 'An e-mail address, checked when it is written',
  icon: IconAt,
  encryptable: false,
  Input,
  sample: 'ann@example.com',
};
