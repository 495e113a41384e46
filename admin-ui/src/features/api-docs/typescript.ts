/** A schema as a TypeScript interface. */
import { type ApiDocument, resolved, type Schema } from './document';

const KNOWN: Record<string, string> = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };

function shape(document: ApiDocument, given: Schema, indent: string): string {
  const schema = resolved(document, given);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return 'unknown';
  return types
    .map((type) => {
      if (type === 'array') return `${shape(document, schema.items ?? {}, indent)}[]`;
      if (type === 'object') return schema.properties ? members(document, schema, indent) : 'Record<string, unknown>';
      return KNOWN[type] ?? 'unknown';
    })
    .join(' | ');
}

function members(document: ApiDocument, schema: Schema, indent: string): string {
  const deeper = `${indent}  `;
  const lines = Object.entries(schema.properties ?? {}).map(([name, value]) => {
    const mark = schema.required?.includes(name) || value.readOnly ? '' : '?';
    return `${deeper}${name}${mark}: ${shape(document, value, deeper)};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function declared(document: ApiDocument, name: string, whole: boolean): string {
  const schema = document.components.schemas[name];
  if (!schema) return '';
  // Every field is in an answer, though it may be null.
  const complete = whole ? { ...schema, required: Object.keys(schema.properties ?? {}) } : schema;
  const remark = schema.description === undefined ? '' : `/** ${schema.description}. */\n`;
  return `${remark}export interface ${name} ${members(document, complete, '')}\n`;
}

/** What is read, what is sent to create, and what is sent to change a record. */
export function typesOf(document: ApiDocument, typeName: string): string {
  return [
    declared(document, `${typeName}Record`, true),
    declared(document, `${typeName}Input`, false),
    declared(document, `${typeName}Change`, false),
  ].join('\n');
}
