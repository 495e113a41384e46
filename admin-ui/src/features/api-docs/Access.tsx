import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Rules } from '@/api/types';
import { rulesQuery } from '@/features/rules/queries';
import { draftsOf, type Operation, ruleOf } from '@/features/rules/rule-state';
import { summarise } from '@/features/rules/rule-summary';
import { ErrorPanel } from '@/ui/ErrorPanel';

/** Who is let in, in words, with the rule itself below. */
export function Access({ collection, operation }: { collection: string; operation: Operation }) {
  const rules = useQuery(rulesQuery(collection));
  return (
    <section aria-label="Access">
      <Title order={3} mb={6}>
        Access
      </Title>
      {rules.error && <ErrorPanel error={rules.error} />}
      <div style={{ minHeight: 22, marginBottom: 4 }}>{rules.data && <Said rules={rules.data} operation={operation} />}</div>
      <Link to="/collections/$name/rules" params={{ name: collection }} style={{ color: 'var(--sb-accent-text)' }}>
        Change the rules
      </Link>
    </section>
  );
}

function Said({ rules, operation }: { rules: Rules; operation: Operation }) {
  const draft = draftsOf(rules)[operation];
  const rule = ruleOf(draft);
  return (
    <>
      <Text>{summarise(operation, rule)}</Text>
      {rule !== null && rule !== '' && <pre className="sb-code">{rule}</pre>}
      {draft.fields && (
        <Text c="dimmed" mt={4}>
          {operation === 'list' || operation === 'view' ? 'Shows only ' : 'Takes only '}
          <span className="mono">{draft.fields.join(', ') || 'no field'}</span>.
        </Text>
      )}
    </>
  );
}
