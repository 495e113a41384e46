/** From a file to the records that are sent: what each column becomes, and what cannot be read. */
import type { FieldDefinition } from '@/api/types';
import { fieldType, isEditable } from '@/features/field-types/registry';
import { parseJson } from '@/ui/JsonInput';
import { parseCsv } from './csv';

export interface Source {
  /** The columns or keys of the file. */
  names: string[];
  rows: Record<string, unknown>[];
}

export interface RowProblem {
  /** As in the file, from 1. */
  row: number;
  message: string;
}

export function readSource(name: string, text: string): Source {
  const isJson = name.toLowerCase().endsWith('.json') || /^\s*[[{]/.test(text);
  return isJson ? readJson(text) : readCsv(text);
}

function readJson(text: string): Source {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(`The file is not JSON: ${parsed.message}`);
  const { value } = parsed;
  const list = Array.isArray(value) ? value : (value as { items?: unknown } | null)?.items;
  if (!Array.isArray(list)) throw new Error('The file has to hold a list of records.');
  const rows = list.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new Error('Each record has to be an object.');
    return entry as Record<string, unknown>;
  });
  return { names: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows };
}

function readCsv(text: string): Source {
  const [names, ...lines] = parseCsv(text);
  if (!names) throw new Error('The file is empty.');
  return { names, rows: lines.map((line) => Object.fromEntries(names.map((name, at) => [name, line[at] ?? '']))) };
}

/** From the name in the file to the field it fills; null leaves it out. */
export type Mapping = Record<string, string | null>;

export function guessMapping(names: string[], fields: FieldDefinition[]): Mapping {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const usable = fields.filter(isEditable);
  return Object.fromEntries(names.map((name) => [name, usable.find((field) => plain(field.name) === plain(name))?.name ?? null]));
}

function fromText(field: FieldDefinition, text: string): unknown {
  const parsed = fieldType(field.type).fromCell(text);
  if (!parsed.ok) throw new Error(`${field.name}: ${parsed.message}`);
  return parsed.value;
}

/** The data of one record; throws what cannot be read. An empty cell leaves its field to the default. */
export function dataOf(row: Record<string, unknown>, mapping: Mapping, fields: FieldDefinition[]): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [name, target] of Object.entries(mapping)) {
    const field = fields.find((candidate) => candidate.name === target);
    const value = row[name];
    if (!field || value === undefined || value === '') continue;
    data[field.name] = typeof value === 'string' ? fromText(field, value) : value;
  }
  return data;
}
