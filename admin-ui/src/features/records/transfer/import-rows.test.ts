import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { dataOf, guessMapping, readSource } from './import-rows';

const fields = [
  { name: 'title', type: 'text' },
  { name: 'due_on', type: 'date' },
  { name: 'views', type: 'number' },
  { name: 'done', type: 'boolean' },
  { name: 'meta', type: 'json' },
] as FieldDefinition[];

describe('readSource', () => {
  it('reads CSV and JSON, also a page of the API', () => {
    expect(readSource('a.csv', 'title,views\nA,1')).toEqual({ names: ['title', 'views'], rows: [{ title: 'A', views: '1' }] });
    expect(readSource('a.json', '[{"title":"A"},{"views":1}]').names).toEqual(['title', 'views']);
    expect(readSource('a.json', '{"items":[{"title":"A"}]}').rows).toHaveLength(1);
  });
  it('says what is wrong with a file', () => {
    expect(() => readSource('a.json', '{"a":1}')).toThrow('list of records');
    expect(() => readSource('a.csv', '')).toThrow('empty');
    expect(() => readSource('a.json', '[1]')).toThrow('object');
  });
});

describe('guessMapping', () => {
  it('knows fields by name, however they are written', () => {
    expect(guessMapping(['Title', 'Due on', 'id'], fields)).toEqual({ Title: 'title', 'Due on': 'due_on', id: null });
  });
});

describe('dataOf', () => {
  const mapping = guessMapping(['title', 'views', 'done', 'meta'], fields);
  it('gives every value its type and leaves out what is empty', () => {
    expect(dataOf({ title: '5', views: '1.5', done: 'yes', meta: '{"a":1}' }, mapping, fields)).toEqual({
      title: '5',
      views: 1.5,
      done: true,
      meta: { a: 1 },
    });
    expect(dataOf({ title: 'x', views: '' }, mapping, fields)).toEqual({ title: 'x' });
    expect(dataOf({ title: null, views: 3 }, mapping, fields)).toEqual({ title: null, views: 3 });
  });
  it('names the field that cannot be read', () => {
    expect(() => dataOf({ views: 'many' }, mapping, fields)).toThrow('views: “many” is not a number.');
    expect(() => dataOf({ done: 'perhaps' }, mapping, fields)).toThrow('done');
  });
});
