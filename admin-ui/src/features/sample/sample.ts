/** A small collection to look around in, which knows itself that it is only a sample. */
import type { CollectionInput, FieldDefinition } from '@/api/types';

export const SAMPLE_NAME = 'tasks';

/** Kept by the server with the field, and not interpreted. */
const MARK = 'sample';

export const SAMPLE: CollectionInput & { fields: FieldDefinition[] } = {
  name: SAMPLE_NAME,
  fields: [
    { name: 'title', type: 'text', required: true, options: { [MARK]: true, max_length: 200 } },
    { name: 'status', type: 'text', default: 'open', options: { enum: ['open', 'doing', 'done'] } },
    { name: 'priority', type: 'number', default: 2, options: { min: 1, max: 3 } },
    { name: 'due', type: 'date' },
    { name: 'blocked', type: 'boolean', default: false },
    { name: 'notes', type: 'text' },
  ],
  list_rule: '@request.auth.id != null',
  view_rule: '@request.auth.id != null',
  create_rule: '@request.auth.id != null',
  update_rule: "@owns_record || @has_role('admin')",
  delete_rule: '@owns_record',
};

export const SAMPLE_RECORDS: Record<string, unknown>[] = [
  { title: 'Look at the records in this grid', status: 'doing', priority: 1, notes: 'Double-click a cell, or press Enter on it, to change it.' },
  { title: 'Open a second window and change a task there', status: 'open', priority: 1, notes: 'It changes here as well, with a short highlight.' },
  { title: 'Filter by status', status: 'open', priority: 2, notes: "status = 'open' && priority <= 2" },
  { title: 'Read the rules of this collection', status: 'open', priority: 2, notes: 'Signed-in users see all tasks and change their own.' },
  { title: 'Try a rule as somebody else', status: 'open', priority: 2 },
  { title: 'Add a field', status: 'open', priority: 3, due: '2026-12-31' },
  { title: 'Copy this list as curl', status: 'open', priority: 3 },
  { title: 'Start SnackBase', status: 'done', priority: 1 },
];

export function isSample(fields: FieldDefinition[]): boolean {
  return fields.some(({ options }) => typeof options === 'object' && options !== null && (options as Record<string, unknown>)[MARK] === true);
}
