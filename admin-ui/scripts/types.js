// Generates src/api/schema.d.ts from openapi.json. An unchanged file is not touched: cargo watches src/ and would
// otherwise build the UI anew each time.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);

const text = `// Generated from openapi.json; do not edit.\n\n${astToString(await openapiTS(source))}`;
const before = await readFile(target, 'utf8').catch(() => '');
if (text !== before) await writeFile(target, text);
