import { describe, expect, it } from 'vitest';
import { splitTop, summarise, whoOf } from './rule-summary';

describe('splitTop', () => {
  it('ignores operators inside quotes and parentheses', () => {
    expect(splitTop("a = 'x || y' || (b || c)", '||')).toEqual(["a = 'x || y'", '(b || c)']);
    expect(splitTop(String.raw`a = 'it\'s || ' || b`, '||')).toHaveLength(2);
  });
});

describe('summarise', () => {
  it('knows locked and public', () => {
    expect(summarise('delete', null)).toBe('Only superadmins can delete a record.');
    expect(summarise('list', '')).toContain('even without signing in');
  });
  it('says what common conditions mean', () => {
    expect(summarise('list', "@request.auth.id != ''")).toContain('any signed-in user');
    expect(summarise('update', 'created_by = @request.auth.id')).toContain('the user who created the record');
    expect(summarise('view', "@has_group('editors')")).toContain('members of the group editors');
    expect(summarise('create', "@request.data.status = 'draft'")).toContain('if they send status as draft');
    expect(summarise('update', '!@request.data.owner:changed')).toContain('if they do not change owner');
  });
  it('joins conditions, the caller first', () => {
    expect(summarise('update', "status = 'open' && @request.auth.role = 'admin'")).toContain(
      'users with the role admin and if status is open',
    );
    expect(summarise('list', '(public = true || created_by = @request.auth.id)')).toContain(
      'if public is true, or the user who created the record',
    );
  });
  it('quotes what it has no words for', () => {
    expect(summarise('list', 'views + 1 > 2')).toContain('where views + 1 > 2');
  });
  it('does not strip parentheses that do not belong together', () => {
    expect(summarise('list', "(a = 1) && (b = 2)")).toContain('if a is 1 and if b is 2');
  });
});

describe('whoOf', () => {
  it('names only what is certain', () => {
    expect([null, '', '@request.auth.id != null', '@owns_record', '(created_by = @request.auth.id)', 'false'].map(whoOf)).toEqual([
      'nobody',
      'everyone',
      'signed-in',
      'owner',
      'owner',
      'nobody',
    ]);
    expect(whoOf('@owns_record || published')).toBe('some');
  });
});
