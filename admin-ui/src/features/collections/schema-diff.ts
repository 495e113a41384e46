/** What saving a schema would do, and what that means for the records that exist. */
import type { FieldDefinition } from '@/api/types';
import { plural } from '@/ui/format';
import type { FieldDraft } from '@/features/field-types/draft';
import { isEditable } from '@/features/field-types/registry';
import { definitionOf, draftOf } from './schema-form';

export interface Change {
  kind: 'add' | 'change' | 'order';
  field: string;
  what: string;
  /** What happens to data. */
  effect: string;
  /** Whether the server will refuse it if the records do not fit. */
  checked: boolean;
}

type Effect = Pick<Change, 'what' | 'effect'> & { checked?: boolean };

function added(field: FieldDefinition, records: number): Effect {
  const what = `is added (${field.type})`;
  if (!isEditable(field)) return { what, effect: 'Nothing is stored; the value is computed when a record is read.' };
  if (records === 0) return { what, effect: 'There are no records yet.' };
  const those = plural(records, 'record');
  if (field.default !== null && field.default !== undefined) {
    return field.required
      ? { what, effect: `${those} get the default.` }
      : { what, effect: `${those} stay without a value; the default is for new ones.` };
  }
  if (field.required) return { what, effect: `Refused while there are records: ${those} would be without a value. Give it a default.`, checked: true };
  return { what, effect: `${those} stay without a value.` };
}

/** `on` says whether an attribute is switched on or off. */
function switched(key: 'required' | 'unique' | 'discloses_existence' | 'index' | 'searchable' | 'pii', on: boolean, records: number): Effect {
  const those = plural(records, 'record');
  switch (key) {
    case 'required':
      return on
        ? { what: 'becomes required', effect: `Refused if any of ${those} has no value.`, checked: records > 0 }
        : { what: 'is no longer required', effect: 'Nothing stored changes.' };
    case 'unique':
      return on
        ? { what: 'becomes unique', effect: `Refused if two of ${those} of one account have the same value.`, checked: records > 0 }
        : { what: 'is no longer unique', effect: 'Nothing stored changes.' };
    case 'discloses_existence':
      return on
        ? { what: 'reveals clashes', effect: 'Callers who cannot see the field learn that a value exists.' }
        : { what: 'no longer reveals clashes', effect: 'Clashes name no field for callers who cannot see it, and attempts are limited.' };
    case 'index':
      return on
        ? { what: 'gets an index', effect: `Built over ${those}; filters and sorts by it become faster, writes a little slower.` }
        : { what: 'loses its index', effect: 'Filters and sorts by it become slower.' };
    case 'searchable':
      return on
        ? { what: 'becomes searchable', effect: `Its words are indexed in ${those}; writes become a little slower.` }
        : { what: 'is no longer searchable', effect: 'Searches no longer look at it.' };
    case 'pii':
      return on
        ? { what: 'is marked as personal data', effect: 'Shown masked from now on, except to superadmins and the group pii_access.' }
        : { what: 'is no longer personal data', effect: 'Shown in the clear from now on to everyone who may read the record.' };
  }
}

function changed(before: FieldDefinition, after: FieldDefinition, records: number): Effect[] {
  const effects: Effect[] = [];
  if (before.name !== after.name) {
    effects.push({
      what: `is renamed to ${after.name || 'nothing'}`,
      effect: 'Values stay. Rules, field lists, computed fields and macros follow; programs that use the old name have to be changed.',
    });
  }
  const differs = (key: keyof FieldDefinition) => JSON.stringify(before[key] ?? null) !== JSON.stringify(after[key] ?? null);
  for (const key of ['required', 'unique', 'discloses_existence', 'index', 'searchable', 'pii'] as const) {
    if (Boolean(before[key]) !== Boolean(after[key])) effects.push(switched(key, Boolean(after[key]), records));
  }
  if (differs('default')) effects.push({ what: 'gets another default', effect: 'For records created from now on.' });
  if (differs('options')) effects.push({ what: 'gets other limits', effect: 'Stored values stay; they are checked when they are written next.' });
  if (differs('mask_type') && before.pii && after.pii) effects.push({ what: 'gets another mask', effect: 'From now on, wherever it is shown masked.' });
  if (differs('collection') || differs('on_delete')) {
    effects.push({ what: 'changes its reference', effect: 'The server does not change references that exist; it will say so.', checked: true });
  }
  if (differs('expression') || differs('return_type')) effects.push({ what: 'changes its expression', effect: 'Seen from the next time a record is read.' });
  return effects;
}

export function schemaChanges(drafts: FieldDraft[], stored: FieldDefinition[], records: number): Change[] {
  const changes: Change[] = [];
  const push = (kind: Change['kind'], field: string, { what, effect, checked = false }: Effect) =>
    changes.push({ kind, field, what, effect, checked });
  for (const draft of drafts) {
    const after = definitionOf(draft);
    const field = draft.stored?.name ?? (after.name || 'a field without a name');
    if (!draft.stored) push('add', field, added(after, records));
    else for (const effect of changed(definitionOf(draftOf(draft.stored)), after, records)) push('change', field, effect);
  }
  const order = drafts.flatMap((draft) => (draft.stored ? [draft.stored.name] : []));
  if (order.join() !== stored.map((field) => field.name).join()) {
    push('order', 'the fields', { what: 'get another order', effect: 'In answers and forms; nothing stored changes.' });
  }
  return changes;
}
