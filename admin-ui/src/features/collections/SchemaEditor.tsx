import { Button, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { FieldDraft } from '@/features/field-types/draft';
import { FieldRow } from './FieldRow';
import { errorsAt, messagesAt, move, newField } from './schema-form';
import type { LiveProblems } from './use-live-problems';

interface Props {
  drafts: FieldDraft[];
  onChange: (drafts: FieldDraft[]) => void;
  error: unknown;
  /** The keys in the order in which they were last sent: the error speaks of those positions. */
  sent: string[];
  /** What the server says while one types. */
  live?: LiveProblems;
}

export function SchemaEditor({ drafts, onChange, error, sent, live }: Props) {
  const [dragged, setDragged] = useState<string | null>(null);
  const replace = (key: string, patch: Partial<FieldDraft>) =>
    onChange(drafts.map((draft) => (draft.key === key ? { ...draft, ...patch } : draft)));
  return (
    <Stack gap="xs">
      <div role="list" aria-label="Fields">
        {drafts.map((draft, index) => (
          <FieldRow
            key={draft.key}
            draft={draft}
            index={index}
            count={drafts.length}
            errors={{ ...errorsAt(error, sent.indexOf(draft.key)), ...(live && messagesAt(live.fields, live.keys.indexOf(draft.key))) }}
            onChange={(patch) => replace(draft.key, patch)}
            onMove={(to) => onChange(move(drafts, index, to))}
            dragged={dragged === draft.key}
            onDrag={(dragging) => setDragged(dragging ? draft.key : null)}
            onDragOver={() => {
              const from = drafts.findIndex((other) => other.key === dragged);
              if (from >= 0 && from !== index) onChange(move(drafts, from, index));
            }}
            onRemove={() => onChange(drafts.filter((other) => other.key !== draft.key))}
          />
        ))}
      </div>
      <div>
        <Button variant="default" leftSection={<IconPlus size={16} />} onClick={() => onChange([...drafts, newField()])}>
          Add field
        </Button>
      </div>
      <Text c="dimmed" fz="sm">
        Every record also has <span className="mono">id</span>, <span className="mono">account_id</span>,{' '}
        <span className="mono">created_at</span>, <span className="mono">created_by</span>,{' '}
        <span className="mono">updated_at</span> and <span className="mono">updated_by</span>, set by the server.
      </Text>
    </Stack>
  );
}
