import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { accessOf, rolesIn, rulesOf, warningsFor } from './access';

const locked = { list: null, view: null, create: null, update: null, delete: null };
const collection = (schema: FieldDefinition[] = [], record_count = 0) => ({ schema, record_count });

describe('accessOf', () => {
  it('goes by what a rule says of the caller', () => {
    expect(accessOf(null, 'user')).toBe('none');
    expect(accessOf('', 'user')).toBe('all');
    expect(accessOf('@request.auth.id != null', 'user')).toBe('all');
    expect(accessOf('@owns_record', 'user')).toBe('own');
    expect(accessOf('published = true', 'user')).toBe('some');
  });
  it('knows a rule that is for one role', () => {
    expect(accessOf("@has_role('editor')", 'editor')).toBe('all');
    expect(accessOf("@has_role('editor')", 'user')).toBe('none');
    expect(accessOf("@request.auth.role = 'editor'", 'editor')).toBe('all');
    expect(accessOf("@has_role('editor') || @owns_record", 'user')).toBe('some');
  });
  it('finds the roles that a rule names', () => {
    expect(rolesIn("@has_role('a') || @request.auth.role = 'b'")).toEqual(['a', 'b']);
  });
  it('takes an operation without a rule for locked', () => {
    expect(rulesOf([{ operation: 'list', rule: '' }])).toEqual({ ...locked, list: '' });
  });
});

describe('warningsFor', () => {
  const texts = (...given: Parameters<typeof warningsFor>) => warningsFor(...given).map(({ text }) => text);
  it('warns of what is open to anyone or to everyone', () => {
    expect(texts(collection(), { ...locked, list: '', create: '', delete: '' })).toEqual(['Anyone can create, delete records without signing in.']);
    expect(texts(collection(), { ...locked, list: '', update: '@request.auth.id != null' })[0]).toContain('Every signed-in user can update');
  });
  it('warns of personal data in public, and of a rule that has to look at every record', () => {
    const email: FieldDefinition = { name: 'email', type: 'email', pii: true };
    expect(texts(collection([email]), { ...locked, view: '' })[0]).toContain('email holds personal data');
    const slow = { ...locked, list: "email = @request.auth.email && 'title' = 'x'" };
    expect(texts(collection([email, { name: 'title', type: 'text' }], 5_000), slow)).toEqual(['The list rule compares email, which has no index.']);
    expect(texts(collection([{ ...email, index: true }], 5_000), slow)).toEqual([]);
  });
  it('notes what is locked altogether', () => {
    expect(warningsFor(collection(), locked)).toEqual([{ level: 'note', text: 'Locked: only superadmins have access.' }]);
  });
});
