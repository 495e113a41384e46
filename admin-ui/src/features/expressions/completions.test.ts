import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { completed, filterCompletions, matching, ruleCompletions, wordBefore } from './completions';

const fields = [{ name: 'status', type: 'text' }, { name: 'title', type: 'text' }] as FieldDefinition[];
const labels = (word: string, all = filterCompletions(fields)) => matching(all, word).map((entry) => entry.label);

describe('completions', () => {
  it('puts what begins alike first', () => {
    expect(labels('t')).toEqual(['title', 'true', 'trim()', 'status', 'account_id', 'created_at', 'created_by', 'updated_at']);
    expect(labels('title')).toEqual([]);
  });
  it('offers the caller and macros in rules, and what is sent where something is', () => {
    const sent = ['@request.data.status', '@request.data.status:isset', '@request.data.status:changed'];
    expect(labels('@request.data.s', ruleCompletions(fields, 'update'))).toEqual(sent);
    expect(labels('@request.data.title:c', ruleCompletions(fields, 'create'))).toEqual(['@request.data.title:changed']);
    const secret = [{ name: 'secret', type: 'text', encrypted: true }] as FieldDefinition[];
    expect(labels('@request', ruleCompletions(secret, 'update')).slice(-2)).toEqual(['@request.data.secret:isset', '@request.data.secret:changed']);
    expect(labels('@request.data', ruleCompletions(fields, 'list'))).toEqual([]);
    expect(labels('@has', ruleCompletions(fields, 'list'))).toEqual(["@has_role('')", "@has_group('')"]);
    expect(labels('@lev', ruleCompletions(fields, 'list', [{ name: 'level', parameters: ['project'] }]))).toEqual(['@level()']);
  });
  it('offers functions in filters only, and nothing that is encrypted', () => {
    expect(labels('coal')).toEqual(['coalesce()']);
    expect(labels('coal', ruleCompletions(fields, 'list'))).toEqual([]);
    const secret = [{ name: 'secret', type: 'text', encrypted: true }] as FieldDefinition[];
    expect(labels('secret', ruleCompletions(secret, 'list'))).toEqual([]);
  });
});

describe('wordBefore', () => {
  it('finds the word at the cursor', () => {
    expect(wordBefore('a = @request.au', 15)).toBe('@request.au');
    expect(wordBefore('a = ', 4)).toBe('');
    expect(wordBefore('!@request.data.a:is', 19)).toBe('@request.data.a:is');
  });
  it('keeps quiet inside of quotes', () => {
    expect(wordBefore("a = 'tit", 8)).toBeNull();
    expect(wordBefore("a = '", 5)).toBeNull();
    expect(wordBefore("a = 'x' && ti", 13)).toBe('ti');
  });
});

describe('completed', () => {
  it('replaces the word and puts the cursor where one goes on', () => {
    const [role] = matching(ruleCompletions(fields, 'list'), '@has_role');
    expect(role && completed('x && @has', 9, '@has', role)).toEqual({ text: "x && @has_role('')", cursor: 16 });
  });
});
