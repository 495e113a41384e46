import { describe, expect, it } from 'vitest';
import type { Collection, RecordRow } from '@/api/types';
import { referenceFilter, titleField, titleOf } from './reference';

describe('reference picker', () => {
  it('prefers a field that names the record', () => {
    const collection = { schema: [{ name: 'bio', type: 'text' }, { name: 'name', type: 'text' }] } as unknown as Collection;
    expect(titleField(collection)).toBe('name');
  });
  it('quotes what was typed', () => {
    expect(referenceFilter("it's", 'name')).toBe(String.raw`name ~ '%it\'s%'`);
    expect(referenceFilter('5%', 'name')).toBe(String.raw`name ~ '%5\\%%'`);
  });
  it('looks an id up as such', () => {
    const id = '0b0e7e5c-3c7a-4b53-9d4f-3f4cfb0f8a11';
    expect(referenceFilter(id, 'name')).toBe(`id = '${id}'`);
    expect(titleOf({ id } as RecordRow, null)).toBe(id);
    expect(titleOf({ id, name: 'Ada' } as unknown as RecordRow, 'name')).toBe('Ada (…fb0f8a11)');
  });
});
