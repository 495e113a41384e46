import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import type { AuditEntry } from './entries';
import { valuesBefore } from './restore';

const fields: FieldDefinition[] = [
  { name: 'title', type: 'text' },
  { name: 'views', type: 'number' },
  { name: 'done', type: 'boolean' },
  { name: 'meta', type: 'json' },
  { name: 'secret', type: 'text', encrypted: true },
  { name: 'total', type: 'computed', expression: 'views * 2' },
];

describe('valuesBefore', () => {
  const change = (name: string, before: string | null) => ({ name, before, after: 'x' });
  it('gives each value its type, and nothing where there was none', () => {
    const changes = [change('title', '5'), change('views', '1.5'), change('done', 'false'), change('meta', '{"a":1}')];
    expect(valuesBefore({ changes } as AuditEntry, fields)).toEqual({ title: '5', views: 1.5, done: false, meta: { a: 1 } });
    expect(valuesBefore({ changes: [change('views', null)] } as AuditEntry, fields)).toEqual({ views: null });
  });
  it('leaves out what cannot be written back', () => {
    const changes = [change('secret', '••••'), change('total', '4'), change('updated_at', 'now'), change('gone', 'x')];
    expect(valuesBefore({ changes } as AuditEntry, fields)).toEqual({});
  });
});
