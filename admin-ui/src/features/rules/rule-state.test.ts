import { describe, expect, it } from 'vitest';
import type { Rules } from '@/api/types';
import { draftsOf, patchOf } from './rule-state';

const stored = {
  id: 'r',
  collection_id: 'c',
  list_rule: '',
  view_rule: null,
  create_rule: "@request.auth.id != ''",
  update_rule: null,
  delete_rule: null,
  list_fields: '*',
  view_fields: '["title"]',
  create_fields: '*',
  update_fields: '*',
  created_at: '',
  updated_at: '',
} as Rules;

describe('rule drafts', () => {
  it('reads the three states and the field lists', () => {
    const drafts = draftsOf(stored);
    expect(drafts.list.mode).toBe('public');
    expect(drafts.view.mode).toBe('locked');
    expect(drafts.create).toMatchObject({ mode: 'expression', text: "@request.auth.id != ''" });
    expect(drafts.view.fields).toEqual(['title']);
    expect(drafts.list.fields).toBeNull();
    expect(drafts.delete.fields).toBeUndefined();
  });
  it('sends nothing when nothing changed', () => {
    expect(patchOf(draftsOf(stored), stored)).toEqual({});
  });
  it('sends only what changed', () => {
    const drafts = draftsOf(stored);
    drafts.list.mode = 'locked';
    drafts.view.fields = null;
    expect(patchOf(drafts, stored)).toEqual({ list_rule: null, view_fields: '*' });
  });
});
