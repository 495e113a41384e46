import { IconFile } from '@tabler/icons-react';
import type { FieldType } from './definition';
import { json } from './json';
import { jsonCell } from './parts/cells';

function cell(value: unknown) {
  const name = (value as { filename?: unknown }).filename;
  return typeof name === 'string' ? name : jsonCell(value);
}

export const file: FieldType = {
  ...json,
  label: 'File',
  hint: 'A file, described by its name, size, type and path',
  icon: IconFile,
  encryptable: false,
  width: 176,
  cell,
  remark: () => 'as JSON with filename, size, mime_type and path',
};
