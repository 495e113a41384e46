import { ActionIcon, Badge, Checkbox, Collapse, Text, TextInput, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconGripVertical, IconTrash } from '@tabler/icons-react';
import { type KeyboardEvent, useState } from 'react';
import type { FieldDraft, FieldTypeName } from '@/features/field-types/draft';
import { FieldDetails } from '@/features/field-types/FieldDetails';
import { FieldTypeIcon } from '@/features/field-types/FieldTypeIcon';
import { OPTION_KEYS } from '@/features/field-types/options';
import { fieldType } from '@/features/field-types/registry';
import { TypeSelect } from '@/features/field-types/TypeSelect';
import classes from './FieldRow.module.css';

interface Props {
  draft: FieldDraft;
  index: number;
  count: number;
  errors: Record<string, string>;
  onChange: (patch: Partial<FieldDraft>) => void;
  /** To another place in the list. */
  onMove: (to: number) => void;
  dragged: boolean;
  onDrag: (dragging: boolean) => void;
  onDragOver: () => void;
  onRemove: () => void;
}

export function FieldRow({ draft, index, count, errors, onChange, onMove, onRemove, dragged, onDrag, onDragOver }: Props) {
  const [toggled, setToggled] = useState<boolean | null>(null);
  const detailErrors = Object.keys(errors).some((key) => !['name', 'type', 'required', 'unique'].includes(key));
  const { editable, needsDetails = false } = fieldType(draft.type);
  const open = detailErrors || (toggled ?? (needsDetails && !draft.stored));
  // A stored field keeps its name here while another one is typed.
  const label = draft.stored?.name ?? (draft.name || `field ${index + 1}`);
  const shown = (key: string) => SHOWN.includes(key) && !(draft.stored && key === 'type');
  const rest = Object.entries(errors).filter(([key]) => !shown(key));
  return (
    <div
      role="listitem"
      className={classes.item}
      aria-label={label}
      data-dragged={dragged || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        onDragOver();
      }}
    >
      <div className={classes.row}>
        <Handle label={label} index={index} count={count} onMove={onMove} onDrag={onDrag} />
        <ActionIcon aria-label={`More about ${label}`} aria-expanded={open} onClick={() => setToggled(!open)}>
          {open ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
        </ActionIcon>
        <TextInput
          className={classes.name}
          classNames={{ input: 'mono' }}
          variant={draft.stored ? 'unstyled' : 'default'}
          data-stored={draft.stored ? true : undefined}
          aria-label={draft.stored ? `Name of ${draft.stored.name}` : `Name of field ${index + 1}`}
          placeholder="name"
          autoComplete="off"
          spellCheck={false}
          title={draft.name}
          value={draft.name}
          error={errors.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
        {draft.stored ? (
          <StoredType type={draft.type} />
        ) : (
          <TypeSelect
            className={classes.type}
            label={`Type of ${label}`}
            value={draft.type}
            error={errors.type}
            onChange={(type) => onChange({ type, defaultText: '', encrypted: false })}
          />
        )}
        {editable ? (
          <>
            <Checkbox
              label="Required"
              aria-label={`${label} is required`}
              checked={draft.required}
              error={errors.required}
              onChange={(event) => onChange({ required: event.currentTarget.checked })}
            />
            <Checkbox
              label="Unique"
              aria-label={`${label} is unique`}
              checked={draft.unique}
              error={errors.unique}
              onChange={(event) =>
                onChange({ unique: event.currentTarget.checked, ...(!event.currentTarget.checked && { discloses_existence: false }) })
              }
            />
          </>
        ) : (
          <span className={classes.noSwitches} />
        )}
        <div className={classes.tools}>
          <Marks draft={draft} />
          <Tooltip label={draft.stored ? 'Fields with stored data cannot be removed' : 'Remove'}>
            <ActionIcon
              aria-label={`Remove ${label}`}
              data-disabled={draft.stored !== null || undefined}
              aria-disabled={draft.stored !== null}
              onClick={() => draft.stored === null && onRemove()}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        </div>
      </div>
      {rest.length > 0 && (
        <Text fz="sm" c="var(--mantine-color-error)" pl={36}>
          {rest.map(([, message]) => message).join(' ')}
        </Text>
      )}
      <Collapse expanded={open} transitionDuration={0}>
        {open && <FieldDetails draft={draft} errors={errors} onChange={onChange} />}
      </Collapse>
    </div>
  );
}

/** What is set below, so that it is seen without opening it. */
function Marks({ draft }: { draft: FieldDraft }) {
  const limited = Object.values(draft.options).some((text) => text !== '');
  const marks = [
    draft.index && 'index',
    draft.searchable && 'search',
    draft.discloses_existence && 'revealed',
    draft.encrypted && 'encrypted',
    draft.pii && 'personal',
    draft.defaultText !== '' && 'default',
    limited && 'limits',
  ].filter((mark) => mark !== false);
  return (
    <span className={classes.marks}>
      {marks.map((mark) => (
        <Badge key={mark} color="gray">
          {mark}
        </Badge>
      ))}
    </span>
  );
}

interface HandleProps {
  label: string;
  index: number;
  count: number;
  onMove: (to: number) => void;
  onDrag: (dragging: boolean) => void;
}

/** Drags with the pointer, moves with the arrow keys. */
function Handle({ label, index, count, onMove, onDrag }: HandleProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLButtonElement>) => {
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined || to < 0 || to >= count) return;
    event.preventDefault();
    const handle = event.currentTarget;
    onMove(to);
    // Moving the row in the page takes the focus away.
    window.requestAnimationFrame(() => handle.focus());
  };
  return (
    <ActionIcon
      className={classes.handle}
      draggable
      aria-label={`Move ${label}, ${index + 1} of ${count}: arrow keys`}
      onKeyDown={onKeyDown}
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', label);
        onDrag(true);
      }}
      onDragEnd={() => onDrag(false)}
    >
      <IconGripVertical size={16} />
    </ActionIcon>
  );
}

const SHOWN = ['name', 'type', 'required', 'unique', 'default', 'collection', 'on_delete', 'mask_type', 'pii', 'index', 'searchable', 'encrypted', 'discloses_existence', 'expression', 'return_type', ...OPTION_KEYS.map((key) => `options.${key}`)];

/** The type of a field that exists cannot change, so this is not a control. */
function StoredType({ type }: { type: FieldTypeName }) {
  return (
    <span className={`${classes.type ?? ''} ${classes.stored ?? ''}`}>
      <FieldTypeIcon type={type} /> {fieldType(type).label}
    </span>
  );
}
