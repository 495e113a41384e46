/** The server's own API document, which describes the records of each collection to those who may know of it. */
import { queryOptions } from '@tanstack/react-query';
import { request } from '@/api/client';

/** The parts of JSON Schema that the document uses. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  readOnly?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description?: string;
  required?: boolean;
  schema?: Schema;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

export interface Answer extends Content {
  $ref?: string;
  description?: string;
}

export interface OperationDoc {
  summary?: string;
  parameters?: Parameter[];
  requestBody?: Content;
  responses?: Record<string, Answer>;
}

export interface ApiDocument {
  paths: Record<string, Record<string, OperationDoc>>;
  components: { schemas: Record<string, Schema>; responses?: Record<string, Answer> };
}

/** Below the collections' key: when one of them changes, so does the document. */
export const documentQuery = queryOptions({
  queryKey: ['collections', 'document'],
  queryFn: ({ signal }) => request<ApiDocument>('GET', '/openapi.json', { signal }),
});

const nameOf = (reference: string) => reference.slice(reference.lastIndexOf('/') + 1);

/** What a reference stands for, with what belongs together put together. */
export function resolved(document: ApiDocument, schema: Schema | undefined): Schema {
  if (!schema) return {};
  if (schema.$ref !== undefined) return resolved(document, document.components.schemas[nameOf(schema.$ref)]);
  if (!schema.allOf) return schema;
  return schema.allOf
    .map((part) => resolved(document, part))
    .reduce((whole, part) => ({ ...whole, ...part, properties: { ...whole.properties, ...part.properties } }), {});
}

export function schemaOf(content: Content | undefined): Schema | undefined {
  return content?.content?.['application/json']?.schema;
}

/** The operation on this collection; where the document has none of its own, that on any. */
export function operationOf(document: ApiDocument, collection: string, method: string, path: string): OperationDoc | undefined {
  const own = document.paths[path.replace('{collection}', collection)]?.[method];
  return own ?? document.paths[path]?.[method];
}

export interface Outcome {
  status: string;
  description: string;
}

export function outcomes(document: ApiDocument, operation: OperationDoc): Outcome[] {
  return Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const meant = answer.$ref === undefined ? answer : document.components.responses?.[nameOf(answer.$ref)];
    return { status, description: meant?.description ?? '' };
  });
}

/** The schema of what comes back when all is well. */
export function successSchema(operation: OperationDoc): Schema | undefined {
  const found = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith('2'));
  return schemaOf(found?.[1]);
}

/** The document with the records of this collection wherever it speaks of records. */
export function ofCollection(document: ApiDocument, collection: string): ApiDocument {
  const { schemas } = document.components;
  const own = schemas[`${typeNameOf(document, collection) ?? ''}Record`];
  return own ? { ...document, components: { ...document.components, schemas: { ...schemas, Record: own } } } : document;
}

/** How the document calls the types of the collection: `Posts`, as in `PostsRecord`. */
export function typeNameOf(document: ApiDocument, collection: string): string | null {
  const reference = schemaOf(document.paths[`/api/v1/records/${collection}`]?.post?.requestBody)?.$ref;
  return reference === undefined ? null : nameOf(reference).replace(/Input$/, '');
}
