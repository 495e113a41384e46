import { describe, expect, it } from 'vitest';
import { callOf, namesOf, valueOf } from './parameters';

describe('parameters of macros', () => {
  it('are names between commas', () => {
    expect(namesOf(' project,, team ')).toEqual(['project', 'team']);
    expect(namesOf('')).toEqual([]);
  });
  it('have values that keep their type', () => {
    expect(['3', 'true', 'null', '"3"', 'ada', '', '{"a":1}'].map(valueOf)).toEqual([3, true, null, '3', 'ada', '', '{"a":1}']);
  });
  it('stand in the call', () => {
    expect([callOf('level', ['project']), callOf('open', [])]).toEqual(['@level(project)', '@open']);
  });
});
