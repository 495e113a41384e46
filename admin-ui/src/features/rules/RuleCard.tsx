import { Group, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useId, useMemo } from 'react';
import type { FieldDefinition } from '@/api/types';
import { ruleCompletions } from '@/features/expressions/completions';
import { ExpressionInput } from '@/features/expressions/ExpressionInput';
import { ProblemList } from '@/features/expressions/ProblemList';
import { macrosQuery } from '@/features/macros/queries';
import { FieldListInput } from './FieldListInput';
import { Presets } from './Presets';
import { validationQuery } from './queries';
import { type Mode, type Operation, type RuleDraft, ruleOf } from './rule-state';
import { summarise, whoOf } from './rule-summary';
import { WhoBadge } from './WhoBadge';

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
          <Group gap="sm">
            <Title order={2} size="h3">
              {title}
            </Title>
            <WhoBadge who={whoOf(ruleOf(draft))} />
          </Group>
          <SegmentedControl
            aria-label={`Who may ${operation}`}
            data={MODES}
            value={draft.mode}
            onChange={(mode) => onChange({ mode })}
          />
        </Group>
      </header>
      <Stack gap="xs" p="sm">
        {draft.mode === 'expression' && (
          <RuleExpression
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

function RuleExpression({ label, operation, text, fields, onChange }: ExpressionProps) {
  const id = useId();
  const [settled] = useDebouncedValue(text, 250);
  const macros = useQuery(macrosQuery).data;
  const completions = useMemo(() => ruleCompletions(fields, operation, macros), [fields, operation, macros]);
  const validation = useQuery({ ...validationQuery(settled, operation, fields), enabled: settled.trim() !== '' });
  // An answer about an older text would mark the wrong place.
  const current = settled === text && validation.data ? validation.data : null;
  const problems = current && !current.valid ? current.problems : [];
  return (
    <Stack gap={4}>
      <ExpressionInput
        label={label}
        value={text}
        onChange={onChange}
        completions={completions}
        problems={problems}
        describedBy={id}
        placeholder="created_by = @request.auth.id"
      />
      <Group justify="space-between" align="flex-start" wrap="nowrap" mih={22}>
        <div>
          <ProblemList id={id} problems={problems} />
          {current?.valid && (
            <Text fz="sm" c="var(--sb-accent-text)" role="status">
              Valid
            </Text>
          )}
        </div>
        <Presets operation={operation} fields={fields} onPick={onChange} />
      </Group>
    </Stack>
  );
}
