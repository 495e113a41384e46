import { describe, expect, it } from 'vitest';
import { commandOf } from './grid-keys';

const key = (name: string, more: object = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more });
const size = { rows: 100, columns: 5, page: 20 };
const at = { row: 10, column: 2 };

describe('commandOf', () => {
  it('moves and stays inside', () => {
    expect(commandOf(key('ArrowDown'), at, size)).toEqual({ go: { row: 11, column: 2 } });
    expect(commandOf(key('PageUp'), at, size)).toEqual({ go: { row: 0, column: 2 } });
    expect(commandOf(key('End', { ctrlKey: true }), at, size)).toEqual({ go: { row: 99, column: 4 } });
    expect(commandOf(key('ArrowLeft'), { row: 0, column: 0 }, size)).toEqual({ go: { row: 0, column: 0 } });
  });
  it('edits, opens, selects and copies', () => {
    expect(commandOf(key('Enter'), at, size)).toBe('edit');
    expect(commandOf(key('Enter', { metaKey: true }), at, size)).toBe('open');
    expect(commandOf(key(' '), at, size)).toBe('select');
    expect(commandOf(key('c', { ctrlKey: true }), at, size)).toBe('copy');
  });
  it('takes a letter as the beginning of a new value, and leaves the rest to the browser', () => {
    expect(commandOf(key('x'), at, size)).toEqual({ type: 'x' });
    expect(commandOf(key('Tab'), at, size)).toBeNull();
    expect(commandOf(key('k', { ctrlKey: true }), at, size)).toBeNull();
  });
});
