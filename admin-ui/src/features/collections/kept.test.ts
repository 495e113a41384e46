import { expect, it } from 'vitest';
import { keptKey, moveKept } from './kept';

it('takes columns and views along to the new name of a collection', () => {
  const kept = new Map([[keptKey('views', 'orders'), '[1]'], [keptKey('grid', 'other'), '{}']]);
  moveKept('orders', 'purchases', {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  });
  expect([...kept]).toEqual([[keptKey('grid', 'other'), '{}'], [keptKey('views', 'purchases'), '[1]']]);
});
