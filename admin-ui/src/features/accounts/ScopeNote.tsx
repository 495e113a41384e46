import { Button } from '@mantine/core';
import { IconBuilding, IconX } from '@tabler/icons-react';
import { useAccountName, useAccountScope, useSetAccountScope } from './scope';

/** Says in a toolbar that only one account is shown; a click shows all. */
export function ScopeNote() {
  const scope = useAccountScope();
  const name = useAccountName(scope);
  const setScope = useSetAccountScope();
  if (scope === undefined) return null;
  return (
    <Button
      variant="light"
      maw={240}
      aria-label={`Only ${name ?? 'one account'}: show all accounts`}
      leftSection={<IconBuilding size={16} />}
      rightSection={<IconX size={14} />}
      onClick={() => setScope(undefined)}
    >
      <span className="ellipsis">{name ?? 'One account'}</span>
    </Button>
  );
}
