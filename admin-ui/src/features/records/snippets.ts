/** The same request as one would write it elsewhere. */
import { script, shell } from '@/ui/quote';

export interface ListRequest {
  collection: string;
  sort: string;
  filter: string;
  search?: string;
}

export function listAsCurl(origin: string, { collection, sort, filter, search }: ListRequest): string {
  const lines = [`curl -sS -G ${shell(`${origin}/api/v1/records/${collection}`)}`, `-H "Authorization: Bearer $TOKEN"`];
  if (filter !== '') lines.push(`--data-urlencode ${shell(`filter=${filter}`)}`);
  if (search !== undefined) lines.push(`--data-urlencode ${shell(`search=${search}`)}`);
  if (sort !== '') lines.push(`--data-urlencode ${shell(`sort=${sort}`)}`);
  return lines.join(' \\\n  ');
}

function setUp(origin: string): string {
  return `import { SnackBaseClient } from '@snackbase/sdk';\n\nconst client = new SnackBaseClient({ baseUrl: ${script(origin)} });\n`;
}

export function listAsSdk(origin: string, { collection, sort, filter }: ListRequest): string {
  const options = [...(filter === '' ? [] : [`filter: ${script(filter)}`]), ...(sort === '' ? [] : [`sort: ${script(sort)}`])];
  return `${setUp(origin)}const { items } = await client.records.list(${script(collection)}, { ${options.join(', ')} });`;
}

export function recordAsCurl(origin: string, collection: string, id: string): string {
  return `curl -sS ${shell(`${origin}/api/v1/records/${collection}/${id}`)} \\\n  -H "Authorization: Bearer $TOKEN"`;
}

export function recordAsSdk(origin: string, collection: string, id: string): string {
  return `${setUp(origin)}const record = await client.records.get(${script(collection)}, ${script(id)});`;
}
