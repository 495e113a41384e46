import { describe, expect, it } from 'vitest';
import { blocksOf } from './line';

describe('a stream', () => {
  it('is cut into blocks, wherever the network cut it', () => {
    const first = blocksOf(': connected\n\nid: a:1\nevent: mess');
    expect(first).toEqual({ blocks: [': connected'], rest: 'id: a:1\nevent: mess' });
    expect(blocksOf(`${first.rest}age\ndata: {}\r\n\r\n`)).toEqual({ blocks: ['id: a:1\nevent: message\ndata: {}'], rest: '' });
  });
});
