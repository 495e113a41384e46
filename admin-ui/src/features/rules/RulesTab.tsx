import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, messageOf } from '@/api/errors';
import type { Collection, Rules } from '@/api/types';
import { collectionQuery } from '@/features/collections/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { toast } from '@/ui/toast';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { rulesQuery, useSaveRules } from './queries';
import { draftsOf, type Operation, OPERATIONS, patchOf, type RuleDraft } from './rule-state';
import { RuleCard } from './RuleCard';
import { RuleTester } from './RuleTester';

const route = getRouteApi('/app/collections/$name/rules');

export function RulesTab() {
  const { name } = route.useParams();
  const { data: collection } = useSuspenseQuery(collectionQuery(name));
  const rules = useQuery(rulesQuery(name));
  // A refetch that fails later must not take away what was typed in the meantime.
  if (rules.error && !rules.data) return <ErrorPanel inset error={rules.error} onRetry={() => void rules.refetch()} />;
  if (!rules.data) return <Skeleton m="md" h={420} w="auto" />;
  return <RulesForm key={rules.data.updated_at} collection={collection} rules={rules.data} />;
}

/** The rule that a refusal is about: by its key, else by the text that names it. */
function errorFor(error: unknown, operation: Operation): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const named = error.fields[`${operation}_rule`] ?? error.fields[`${operation}_fields`];
  if (named) return named.join(' ');
  return messageOf(error).includes(`${operation}_`) ? messageOf(error) : undefined;
}

function RulesForm({ collection, rules }: { collection: Collection; rules: Rules }) {
  const save = useSaveRules(collection.name, () => toast.done(`Saved the rules of ${collection.name}.`));
  const [drafts, setDrafts] = useState(() => draftsOf(rules));
  const patch = patchOf(drafts, rules);
  const changed = Object.keys(patch).length;
  const set = (operation: Operation, change: Partial<RuleDraft>) =>
    setDrafts((before) => ({ ...before, [operation]: { ...before[operation], ...change } }));
  const placed = OPERATIONS.some((operation) => errorFor(save.error, operation));
  return (
    <Stack p="md" gap="md" maw={960}>
      <Text c="dimmed">
        Rules decide what signed-in users and visitors may do with the records of one account. Superadmins may do everything.
      </Text>
      <UnsavedGuard dirty={changed > 0}>The rules have changes that are not saved.</UnsavedGuard>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(patch);
        }}
      >
        <Stack gap="md">
          {OPERATIONS.map((operation) => (
            <RuleCard
              key={operation}
              operation={operation}
              draft={drafts[operation]}
              fields={collection.schema}
              error={errorFor(save.error, operation)}
              onChange={(change) => set(operation, change)}
            />
          ))}
          {!placed && <ErrorPanel error={save.error} />}
          <Group gap="xs">
            <Button type="submit" disabled={changed === 0} loading={save.isPending}>
              Save rules
            </Button>
            {changed > 0 && (
              <>
                <Button
                  variant="default"
                  onClick={() => {
                    save.reset();
                    setDrafts(draftsOf(rules));
                  }}
                >
                  Discard changes
                </Button>
                <Text c="dimmed">{plural(changed, 'change')} not saved</Text>
              </>
            )}
          </Group>
        </Stack>
      </form>
      <RuleTester collection={collection} drafts={drafts} />
    </Stack>
  );
}
