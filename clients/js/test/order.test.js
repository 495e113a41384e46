import assert from 'node:assert/strict';
import { test } from 'node:test';

import { comparer } from '../dist/realtime/order.js';

const sorted = (sort, records) => records.toSorted(comparer(sort)).map((record) => record.id);

test('null is the smallest value', () => {
  const records = [{ id: '1', n: 2 }, { id: '2', n: null }, { id: '3', n: -1 }];
  assert.deepEqual(sorted('n', records), ['2', '3', '1']);
  assert.deepEqual(sorted('-n', records), ['1', '3', '2']);
});

test('equal values are told apart by the id, in the direction of the last key', () => {
  const records = [{ id: 'b', n: 1 }, { id: 'a', n: 1 }, { id: 'c', n: 0 }];
  assert.deepEqual(sorted('n', records), ['c', 'a', 'b']);
  assert.deepEqual(sorted('-n', records), ['b', 'a', 'c']);
  assert.deepEqual(sorted('n,-id', records), ['c', 'b', 'a']);
});

test('text is compared by code points', () => {
  const records = ['\u{1f600}', '\uffee', 'a', 'B', 'ab'].map((t) => ({ id: t, t }));
  assert.deepEqual(sorted('t', records), ['B', 'a', 'ab', '\uffee', '\u{1f600}']);
});

test('false comes before true', () => {
  assert.deepEqual(sorted('done', [{ id: '1', done: true }, { id: '2', done: false }]), ['2', '1']);
});
