/** One request, as it is put together on the page: sent, or written in another language. */
import { literal, script, shell } from '@/ui/quote';
import { type ApiDocument, type OperationDoc, resolved, type Schema, schemaOf } from './document';
import type { Entry } from './entries';
import { draftOf } from './example';

export interface Call {
  entry: Entry;
  collection: string;
  id: string;
  query: Record<string, string>;
  /** Undefined where nothing is sent. */
  body: unknown;
}

/** The body that a request begins with: something that the server would take as it is. */
export function firstBody(document: ApiDocument, operation: OperationDoc, entry: Entry, collection: string, id: string): unknown {
  const schema = schemaOf(operation.requestBody);
  if (!schema) return undefined;
  const own = (method: string, suffix = ''): Schema | undefined => schemaOf(document.paths[`/api/v1/records/${collection}${suffix}`]?.[method]?.requestBody);
  switch (entry.key) {
    case 'batch-create':
      return { records: [draftOf(document, own('post'))] };
    case 'batch-change':
      return { records: [{ id, data: draftOf(document, own('patch', '/{id}')) }] };
    case 'batch-delete':
      return { ids: [id] };
    default:
      return draftOf(document, schema);
  }
}

/** The schema of one record as it is sent, also where several are. */
export function inputSchema(document: ApiDocument, operation: OperationDoc, entry: Entry, collection: string): Schema | undefined {
  const schema = schemaOf(operation.requestBody);
  if (!schema || entry.key === 'batch-delete') return undefined;
  const name = { 'batch-create': ['post', ''], 'batch-change': ['patch', '/{id}'] }[entry.key];
  const own = name ? schemaOf(document.paths[`/api/v1/records/${collection}${name[1] ?? ''}`]?.[name[0] ?? '']?.requestBody) : schema;
  return resolved(document, own);
}

export function pathOf({ entry, collection, id }: Call): string {
  return entry.path.replace('{collection}', encodeURIComponent(collection)).replace('{id}', encodeURIComponent(id));
}

/** The query without what was left empty. */
export function chosen(query: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}

export function asCurl(origin: string, call: Call): string {
  const query = Object.entries(chosen(call.query));
  const method = call.entry.method.toUpperCase();
  const lines = [`curl -sS ${query.length > 0 ? '-G ' : method === 'GET' ? '' : `-X ${method} `}${shell(origin + pathOf(call))}`];
  lines.push('-H "Authorization: Bearer $TOKEN"');
  for (const [name, value] of query) lines.push(`--data-urlencode ${shell(`${name}=${value}`)}`);
  if (call.body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${shell(JSON.stringify(call.body))}`);
  return lines.join(' \\\n  ');
}

/** Values that the SDK takes as numbers and booleans are written as such. */
function options(query: Record<string, string>): string {
  const value = (text: string) => (/^(\d+|true|false)$/.test(text) ? (JSON.parse(text) as unknown) : text);
  const entries = Object.entries(chosen(query)).map(([name, text]) => [name, value(text)] as const);
  return entries.length === 0 ? '' : `, ${literal(Object.fromEntries(entries))}`;
}

/** What is written of the call itself; `type` goes where the SDK takes the type of the records. */
function expression(call: Call, type: string): string {
  const { entry, id, query, body } = call;
  const collection = script(call.collection);
  const items = (name: string) => literal((body as Record<string, unknown> | undefined)?.[name] ?? []);
  switch (entry.key) {
    case 'list':
      return `const { items } = await client.records.list${type}(${collection}${options(query)});`;
    case 'search':
      // The SDK's own list does not know the parameter.
      return `const { data } = await client.httpClient.get${type === '' ? '' : `<{ items: ${type.slice(1, -1)}[] }>`}(\n  ${script(pathOf(call))},\n  { params: ${literal(chosen(query))} },\n);`;
    case 'get':
      return `const record = await client.records.get${type}(${collection}, ${script(id)}${options(query)});`;
    case 'create':
      return `const record = await client.records.create${type}(${collection}, ${literal(body)});`;
    case 'change':
      return `const record = await client.records.patch${type}(${collection}, ${script(id)}, ${literal(body)});`;
    case 'replace':
      return `const record = await client.records.update${type}(${collection}, ${script(id)}, ${literal(body)});`;
    case 'delete':
      return `await client.records.delete(${collection}, ${script(id)});`;
    case 'batch-create':
      return `const { created } = await client.records.batchCreate(${collection}, ${items('records')});`;
    case 'batch-change':
      return `const { updated } = await client.records.batchUpdate(${collection}, ${items('records')});`;
    case 'batch-delete':
      return `const { deleted } = await client.records.batchDelete(${collection}, ${items('ids')});`;
    default:
      return `const { results } = await client.records.aggregate(${collection}${options(query)});`;
  }
}

function setUp(origin: string): string {
  return `const client = new SnackBaseClient({ baseUrl: ${script(origin)} });\nawait client.login({ account, email, password });\n\n`;
}

export function asJavaScript(origin: string, call: Call): string {
  return `import { SnackBaseClient } from '@snackbase/sdk';\n\n${setUp(origin)}${expression(call, '')}`;
}

export function asTypeScript(origin: string, call: Call, typeName: string): string {
  const statement = expression(call, `<${typeName}Record>`);
  const types = statement.includes(`${typeName}Record`) ? `import type { ${typeName}Record } from './snackbase-types';\n` : '';
  return `import { SnackBaseClient } from '@snackbase/sdk';\n${types}\n${setUp(origin)}${statement}`;
}
