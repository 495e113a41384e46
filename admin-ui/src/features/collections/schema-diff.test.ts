import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { schemaChanges } from './schema-diff';
import { draftOf, newField } from './schema-form';

const title = { name: 'title', type: 'text', required: true } as FieldDefinition;
const views = { name: 'views', type: 'number' } as FieldDefinition;

describe('schemaChanges', () => {
  it('is empty for an untouched schema', () => {
    expect(schemaChanges([draftOf(title), draftOf(views)], [title, views], 5)).toEqual([]);
  });
  it('says what an added field means for the records there are', () => {
    const added = (patch: object, records: number) => schemaChanges([draftOf(title), { ...newField(), name: 'a', ...patch }], [title], records)[0];
    expect(added({}, 1204)?.effect).toBe('1,204 records stay without a value.');
    expect(added({}, 0)?.effect).toContain('no records yet');
    expect(added({ required: true }, 3)).toMatchObject({ checked: true });
    expect(added({ required: true, defaultText: 'x' }, 3)?.effect).toBe('3 records get the default.');
  });
  it('warns of what the server will check', () => {
    const [change] = schemaChanges([{ ...draftOf(views), unique: true }], [views], 2);
    expect(change).toMatchObject({ field: 'views', what: 'becomes unique', checked: true });
    expect(schemaChanges([{ ...draftOf(views), unique: true }], [views], 0)[0]?.checked).toBe(false);
  });
  it('says under which name values go on when a field is renamed', () => {
    const [change, ...rest] = schemaChanges([draftOf(title), { ...draftOf(views), name: 'readers' }], [title, views], 4);
    expect(change).toMatchObject({ kind: 'change', field: 'views', what: 'is renamed to readers', checked: false });
    expect(rest).toEqual([]);
  });
  it('tells a default, limits and the order apart', () => {
    const drafts = [{ ...draftOf(views), defaultText: '3', options: { min: '0' } }, draftOf(title)];
    expect(schemaChanges(drafts, [title, views], 1).map((change) => change.what)).toEqual([
      'gets another default',
      'gets other limits',
      'get another order',
    ]);
  });
});
