import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { collect, initialValues, toText, toValue } from './form-values';

const field = (name: string, type: string, more: object = {}) => ({ name, type, ...more }) as FieldDefinition;

describe('toText and toValue', () => {
  it('round-trips each type', () => {
    for (const [type, value] of [
      ['text', 'hello'],
      ['number', 4.5],
      ['boolean', false],
      ['date', '2026-01-31'],
      ['json', { a: [1, null] }],
      ['file', { path: 'x' }],
    ] as const) {
      expect(toValue(field('f', type), toText(field('f', type), value))).toEqual({ ok: true, value });
    }
  });
  it('keeps the instant of a datetime, to the second', () => {
    const text = toText(field('at', 'datetime'), '2026-01-31T23:30:05+02:00');
    expect(toValue(field('at', 'datetime'), text)).toEqual({ ok: true, value: '2026-01-31T21:30:05.000Z' });
  });
  it('shows nothing for a date that cannot be read', () => {
    expect(toText(field('at', 'datetime'), 'soon')).toBe('');
  });
  it('reads an empty control as null', () => {
    expect(toValue(field('n', 'number'), '')).toEqual({ ok: true, value: null });
  });
  it('refuses what is not a number or not JSON', () => {
    expect(toValue(field('n', 'number'), 'x').ok).toBe(false);
    expect(toValue(field('j', 'json'), '{').ok).toBe(false);
  });
});

describe('collect', () => {
  const fields = [field('title', 'text'), field('views', 'number', { default: 3 }), field('meta', 'json')];
  it('leaves out what was not filled in, so that defaults apply', () => {
    const initial = initialValues(fields, null);
    expect(initial.views).toBe('3');
    expect(collect(fields, { ...initial, title: 'a' }, initial, true).data).toEqual({ title: 'a', views: 3 });
  });
  it('sends null where a default was cleared', () => {
    const initial = initialValues(fields, null);
    expect(collect(fields, { ...initial, views: '' }, initial, true).data).toEqual({ views: null });
  });
  it('changes only touched fields', () => {
    const initial = initialValues(fields, { title: 'a', views: 1, meta: null });
    expect(collect(fields, { ...initial, title: '' }, initial, false)).toEqual({ data: { title: null }, errors: {} });
  });
  it('reports what cannot be read', () => {
    const initial = initialValues(fields, null);
    expect(collect(fields, { ...initial, meta: '{' }, initial, true).errors).toHaveProperty('meta');
  });
});
