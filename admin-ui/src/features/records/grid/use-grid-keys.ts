/** The cell one is at, whether it is being edited, and what the keys do. */
import { type KeyboardEvent, useCallback, useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { choicesOf } from '@/features/field-types/options';
import { fieldType, isEditable } from '@/features/field-types/registry';
import { toast } from '@/ui/toast';
import type { ShownColumn } from '../columns';
import { type At, commandOf } from './grid-keys';
import type { Rows } from './use-rows';
import type { Selection } from './use-selection';

interface Options {
  rows: Rows;
  count: number;
  columns: ShownColumn[];
  pageRows: number;
  scrollTo: (row: number) => void;
  selection: Selection;
  onOpen: (id: string) => void;
  onDelete: () => void;
}

/** Whether typing a character begins a new value with it. */
function isTypeable(field: FieldDefinition): boolean {
  return fieldType(field.type).typeable && !choicesOf(field.options);
}

export function useGridKeys({ rows, count, columns, pageRows, scrollTo, selection, onOpen, onDelete }: Options) {
  const [at, setAt] = useState<At | null>(null);
  const [editing, setEditing] = useState(false);
  const [typed, setTyped] = useState<string | null>(null);

  const activate = useCallback((row: number, column: number) => {
    setEditing(false);
    setAt({ row, column });
  }, []);
  const closeEditor = useCallback(() => setEditing(false), []);
  const edit = useCallback((row: number, column: number) => {
    setAt({ row, column });
    setTyped(null);
    setEditing(true);
  }, []);

  const current = at ? rows.at(at.row) : undefined;
  const column = at ? columns[at.column] : undefined;
  // What the server sets, and what it computes, has no editor: the record opens instead.
  const editable = column?.field !== undefined && isEditable(column.field);

  const copy = () => {
    const value = current?.[column?.name ?? ''];
    const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
    void navigator.clipboard.writeText(text).then(
      () => toast.done(`Copied ${column?.name ?? 'the value'}.`),
      (error: unknown) => toast.failed(error),
    );
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const place = at ?? { row: 0, column: 0 };
    const command = commandOf(event, place, { rows: count, columns: columns.length, page: pageRows });
    if (command === null) return;
    if (typeof command === 'object' && 'type' in command) {
      if (!current || !editable || !column.field || !isTypeable(column.field)) return;
      setTyped(command.type);
      setEditing(true);
    } else if (typeof command === 'object') {
      setAt(command.go);
      scrollTo(command.go.row);
    } else if (command === 'select-all') selection.set(rows.loaded.map((row) => row.id));
    else if (command === 'delete') onDelete();
    else if (!current) return;
    else if (command === 'select') selection.toggle(current.id, false);
    else if (command === 'copy') copy();
    else if (command === 'edit' && editable) edit(place.row, place.column);
    else onOpen(current.id);
    event.preventDefault();
  };

  const onFocus = (event: { target: EventTarget; currentTarget: EventTarget }) => {
    if (event.target === event.currentTarget && !at) setAt({ row: 0, column: 0 });
  };

  return { at, editing: editing && editable, typed, activate, edit, closeEditor, onKeyDown, onFocus };
}
