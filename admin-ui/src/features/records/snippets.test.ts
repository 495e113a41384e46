import { describe, expect, it } from 'vitest';
import { listAsCurl, listAsSdk, recordAsCurl } from './snippets';

const request = { collection: 'posts', sort: '-created_at', filter: "title = 'it'" };

describe('snippets', () => {
  it('quote for the shell', () => {
    expect(listAsCurl('http://h', request)).toBe(
      `curl -sS -G 'http://h/api/v1/records/posts' \\\n  -H "Authorization: Bearer $TOKEN" \\\n` +
        `  --data-urlencode 'filter=title = '\\''it'\\''' \\\n  --data-urlencode 'sort=-created_at'`,
    );
    expect(recordAsCurl('http://h', 'posts', '1')).toContain("'http://h/api/v1/records/posts/1'");
  });
  it('quote for JavaScript', () => {
    expect(listAsSdk('http://h', request)).toContain(String.raw`{ filter: 'title = \'it\'', sort: '-created_at' }`);
  });
});
