import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { both, type Filter, filterText, searchText } from './filter-text';
import { parseFilter } from './parse-filter';

const known = [{ name: 'views', type: 'number' }, { name: 'published', type: 'boolean' }, { name: 'title', type: 'text' }] as FieldDefinition[];

describe('filterText and parseFilter', () => {
  it('round-trip every operator', () => {
    const filter: Filter = {
      join: '&&',
      conditions: [
        { field: 'title', operator: 'contains', value: "it's" },
        { field: 'title', operator: 'starts', value: 'a' },
        { field: 'title', operator: 'ends', value: 'z' },
        { field: 'title', operator: 'contains', value: String.raw`20%_off\a\%` },
        { field: 'title', operator: '=', value: '5' },
        { field: 'views', operator: '>=', value: '-5' },
        { field: 'views', operator: 'in', value: '1, 2' },
        { field: 'published', operator: '=', value: 'true' },
        { field: 'title', operator: 'empty', value: '' },
        { field: 'title', operator: 'filled', value: '' },
      ],
    };
    const text = filterText(filter, known);
    expect(text).toContain(String.raw`title ~ '%it\'s%' && title ~ 'a%'`);
    expect(text).toContain(String.raw`title ~ '%20\\%\\_off\\\\a\\\\\\%%'`);
    expect(text).toContain("title = '5' && views >= -5 && views IN (1, 2) && published = true");
    expect(parseFilter(text)).toEqual(filter);
  });
  it('reads what people write alike', () => {
    expect(parseFilter('a = 1 || b is not null')).toEqual({
      join: '||',
      conditions: [
        { field: 'a', operator: '=', value: '1' },
        { field: 'b', operator: 'filled', value: '' },
      ],
    });
    expect(parseFilter('  ')).toEqual({ join: '&&', conditions: [] });
  });
  it('leaves alone what it cannot show', () => {
    for (const text of ['(a = 1)', 'a = 1 && b = 2 || c = 3', 'a + 1 > 2', '!a', "a ~ 'x_y'", 'a =', "a IN ('x,y')", 'a = b']) {
      expect(parseFilter(text), text).toBeNull();
    }
  });
});

describe('search', () => {
  const fields = [{ name: 'title', type: 'text' }, { name: 'views', type: 'number' }, { name: 'mail', type: 'email' }] as FieldDefinition[];
  it('looks into every field that holds words', () => {
    expect(searchText(' ada ', fields)).toBe("title ~ '%ada%' || mail ~ '%ada%'");
    expect(searchText('', fields)).toBe('');
  });
  it('narrows a filter without changing what it means', () => {
    expect(both('a = 1 || b = 2', "t ~ '%x%'")).toBe("(a = 1 || b = 2) && t ~ '%x%'");
    expect(both('', 'a = 1')).toBe('a = 1');
  });
});
