// Generates src/api/schema.d.ts from the schemas of openapi.json, which are all that the UI uses of it. An unchanged file
// is not touched: cargo watches src/ and would otherwise build the UI anew each time. Another process may be reading it,
// so a changed one takes its place as a whole.
import { readFile, rename, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);

const { openapi, info, components } = JSON.parse(await readFile(source, 'utf8'));
const schemas = { openapi, info, paths: {}, components: { schemas: components.schemas } };
const text = `// Generated from openapi.json; do not edit.\n\n${astToString(await openapiTS(schemas))}`;
const before = await readFile(target, 'utf8').catch(() => '');
if (text !== before) {
  const draft = new URL(`../node_modules/.schema-${process.pid}.d.ts`, import.meta.url);
  await writeFile(draft, text);
  await rename(draft, target);
}
