import { Group, SegmentedControl, Stack, Text, Textarea, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import type { FieldDefinition } from '@/api/types';
import { FieldListInput } from './FieldListInput';
import { insertAt } from './insert-text';
import { InsertMenu } from './InsertMenu';
import { validationQuery } from './queries';
import { cutAt, problemsOf, type RuleProblem } from './rule-errors';
import { type Mode, type Operation, type RuleDraft, ruleOf } from './rule-state';
import { summarise } from './rule-summary';

const TITLES: Record<Operation, string> = { list: 'List', view: 'View', create: 'Create', update: 'Update', delete: 'Delete' };

const MODES: { value: Mode; label: string }[] = [
  { value: 'locked', label: 'Locked' },
  { value: 'public', label: 'Public' },
  { value: 'expression', label: 'Expression' },
];

interface Props {
  operation: Operation;
  draft: RuleDraft;
  fields: FieldDefinition[];
  error: string | undefined;
  onChange: (change: Partial<RuleDraft>) => void;
}

export function RuleCard({ operation, draft, fields, error, onChange }: Props) {
  const title = TITLES[operation];
  return (
    <section className="sb-panel" aria-label={`${title} rule`}>
      <header>
        <Group justify="space-between" gap="xs">
          <Title order={2} size="h3">
            {title}
          </Title>
          <SegmentedControl
            aria-label={`Who may ${operation}`}
            data={MODES}
            value={draft.mode}
            onChange={(mode) => onChange({ mode: mode })}
          />
        </Group>
      </header>
      <Stack gap="xs" p="sm">
        {draft.mode === 'expression' && (
          <ExpressionInput
            label={`${title} expression`}
            operation={operation}
            text={draft.text}
            fields={fields}
            onChange={(text) => onChange({ text })}
          />
        )}
        <Text c="dimmed">{summarise(operation, ruleOf(draft))}</Text>
        {error && (
          <Text c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
        {draft.fields !== undefined && (
          <FieldListInput
            operation={operation}
            value={draft.fields}
            fields={fields.map((field) => field.name)}
            onChange={(list) => onChange({ fields: list })}
          />
        )}
      </Stack>
    </section>
  );
}

interface ExpressionProps {
  label: string;
  operation: Operation;
  text: string;
  fields: FieldDefinition[];
  onChange: (text: string) => void;
}

function ExpressionInput({ label, operation, text, fields, onChange }: ExpressionProps) {
  const input = useRef<HTMLTextAreaElement>(null);
  const [settled] = useDebouncedValue(text, 300);
  const validation = useQuery({ ...validationQuery(settled, operation, fields), enabled: settled.trim() !== '' });
  // An answer about an older text would mark the wrong place.
  const current = settled === text && validation.data ? validation.data : null;
  const problems = current && !current.valid ? problemsOf(current) : [];
  const insert = (piece: string) => {
    const { selectionStart: start, selectionEnd: end } = input.current ?? { selectionStart: text.length, selectionEnd: text.length };
    onChange(insertAt(text, start, end, piece));
  };
  return (
    <Stack gap={4}>
      <Textarea
        ref={input}
        aria-label={label}
        classNames={{ input: 'mono' }}
        placeholder="created_by = @request.auth.id"
        autosize
        minRows={1}
        maxRows={8}
        spellCheck={false}
        autoComplete="off"
        value={text}
        error={problems.length > 0}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Group justify="space-between" align="flex-start" wrap="nowrap" mih={22}>
        <div aria-live="polite">
          {problems.map((problem) => (
            <Problem key={`${problem.position ?? ''}${problem.message}`} text={settled} problem={problem} />
          ))}
          {current?.valid && (
            <Text fz="sm" c="var(--sb-accent-text)">
              Valid
            </Text>
          )}
        </div>
        <InsertMenu operation={operation} fields={fields} onPick={insert} />
      </Group>
    </Stack>
  );
}

function Problem({ text, problem }: { text: string; problem: RuleProblem }) {
  const cut = problem.position === null ? null : cutAt(text, problem.position);
  return (
    <div>
      <Text fz="sm" c="var(--mantine-color-error)">
        {problem.message}
      </Text>
      {cut && (
        <div className="mono" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {cut[0]}
          <mark className="sb-mark" style={{ color: 'inherit' }}>
            {cut[1]}
          </mark>
          {cut[2]}
        </div>
      )}
    </div>
  );
}
