import { describe, expect, it } from 'vitest';
import { asCurl, asJavaScript, asTypeScript, type Call, firstBody } from './call';
import { type ApiDocument, ofCollection, operationOf, outcomes, resolved, successSchema, typeNameOf } from './document';
import { type Entry, entryOf } from './entries';
import { draftOf, exampleOf } from './example';
import { typesOf } from './typescript';

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ content: { 'application/json': { schema } } });

const api: ApiDocument = {
  paths: {
    '/api/v1/records/posts': {
      get: { responses: { 200: json({ allOf: [ref('RecordPage'), { type: 'object', properties: { items: { type: 'array', items: ref('PostsRecord') } } }] }), 403: { $ref: '#/components/responses/Forbidden' } } },
      post: { requestBody: json(ref('PostsInput')), responses: { 201: json(ref('PostsRecord')) } },
    },
    '/api/v1/records/{collection}/batch': { post: { requestBody: json(ref('BatchCreate')), responses: { 201: { description: 'The records, in order' } } } },
  },
  components: {
    schemas: {
      RecordPage: { type: 'object', properties: { items: { type: 'array' }, total: { type: ['integer', 'null'] } } },
      BatchCreate: { type: 'object', properties: { records: { type: 'array', items: { type: 'object' } } } },
      PostsRecord: { type: 'object', description: 'A record of `posts`', required: ['id'], properties: { id: { type: 'string', format: 'uuid' }, views: { type: ['number', 'null'], minimum: 5 } } },
      PostsInput: {
        type: 'object',
        required: ['title'],
        properties: { title: { type: 'string' }, state: { enum: ['open', 'done'] }, author: { type: ['string', 'null'], format: 'uuid' } },
      },
    },
    responses: { Forbidden: { description: 'The caller may not do this' } },
  },
};

const entry = (key: string): Entry => {
  const found = entryOf(key);
  if (!found) throw new Error(`no entry ${key}`);
  return found;
};
const call = (key: string, more: Partial<Call> = {}): Call => ({ entry: entry(key), collection: 'posts', id: 'r1', query: {}, body: undefined, ...more });

describe('the document', () => {
  it('prefers what is said of this collection', () => {
    expect(operationOf(api, 'posts', 'post', '/api/v1/records/{collection}')?.requestBody).toEqual(json(ref('PostsInput')));
    expect(operationOf(api, 'posts', 'post', '/api/v1/records/{collection}/batch')).toBeDefined();
    expect(typeNameOf(api, 'posts')).toBe('Posts');
    expect(typeNameOf(api, 'others')).toBeNull();
  });
  it('is followed through its references', () => {
    const list = operationOf(api, 'posts', 'get', '/api/v1/records/{collection}') ?? {};
    expect(outcomes(api, list)[1]).toEqual({ status: '403', description: 'The caller may not do this' });
    expect(Object.keys(resolved(api, successSchema(list)).properties ?? {})).toEqual(['items', 'total']);
    expect(exampleOf(api, successSchema(list))).toEqual({ items: [{ id: '01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2', views: 5 }], total: 1 });
  });
  it('shows the fields of this collection where it speaks of records at large', () => {
    const created = { type: 'array', items: ref('Record') };
    expect(exampleOf(ofCollection(api, 'posts'), created)).toEqual([{ id: '01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2', views: 5 }]);
    expect(ofCollection(api, 'others')).toBe(api);
  });
  it('gives a body that can be sent, without references that would have to exist', () => {
    expect(draftOf(api, ref('PostsInput'))).toEqual({ title: 'title', state: 'open' });
    const batch = api.paths['/api/v1/records/{collection}/batch']?.post ?? {};
    expect(firstBody(api, batch, entry('batch-create'), 'posts', '')).toEqual({ records: [{ title: 'title', state: 'open' }] });
  });
  it('becomes types', () => {
    const text = typesOf(api, 'Posts');
    expect(text).toContain('/** A record of `posts`. */\nexport interface PostsRecord {\n  id: string;\n  views: number | null;\n}');
    expect(text).toContain('export interface PostsInput {\n  title: string;\n  state?: "open" | "done";\n  author?: string | null;\n}');
  });
});

describe('a call', () => {
  it('is written for the shell', () => {
    const list = call('list', { query: { filter: "title = 'a'", sort: '' } });
    expect(asCurl('http://h', list)).toBe("curl -sS -G 'http://h/api/v1/records/posts' \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  --data-urlencode 'filter=title = '\\''a'\\'''");
    expect(asCurl('http://h', call('delete'))).toContain("curl -sS -X DELETE 'http://h/api/v1/records/posts/r1'");
    expect(asCurl('http://h', call('create', { body: { a: 1 } }))).toContain("-d '{\"a\":1}'");
  });
  it('is written for the SDK', () => {
    expect(asJavaScript('http://h', call('list', { query: { limit: '5', filter: 'a = 1' } }))).toContain("client.records.list('posts', { limit: 5, filter: 'a = 1' });");
    expect(asJavaScript('http://h', call('search', { query: { search: 'x' } }))).toContain("client.httpClient.get(\n  '/api/v1/records/posts',\n  { params: { search: 'x' } },\n);");
    expect(asTypeScript('http://h', call('get'), 'Posts')).toContain("import type { PostsRecord } from './snackbase-types';");
    expect(asTypeScript('http://h', call('delete'), 'Posts')).not.toContain('PostsRecord');
    expect(asTypeScript('http://h', call('search'), 'Posts')).toContain('<{ items: PostsRecord[] }>');
    expect(asJavaScript('http://h', call('batch-delete', { body: { ids: ['a'] } }))).toContain("batchDelete('posts', ['a'])");
  });
});
