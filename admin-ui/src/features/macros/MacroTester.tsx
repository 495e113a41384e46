import { Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { Macro } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { SYSTEM_ACCOUNT_LABEL } from '@/features/accounts/system-account';
import { Form } from '@/ui/Form';
import { valueOf } from './parameters';
import { useTestMacro } from './queries';

const SHOWN = ['account_id'];

/** What the stored query answers for these values, over the records of one account. */
export function MacroTester({ macro }: { macro: Macro }) {
  const test = useTestMacro(macro.id);
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [account, setAccount] = useState<string | null>(null);
  const run = () =>
    test.mutate({ parameters: macro.parameters.map((name) => valueOf(texts[name] ?? '')), ...(account !== null && { account_id: account }) });
  return (
    <Form submit="Try" quiet busy={test.isPending} error={test.error} shown={SHOWN} onSubmit={run}>
      <AccountPicker system={SYSTEM_ACCOUNT_LABEL} description="The account whose records it reads." value={account} onChange={setAccount} error={fieldMessage(test.error, 'account_id')} />
      {macro.parameters.map((name) => (
        <TextInput
          key={name}
          label={name}
          classNames={{ label: 'mono' }}
          autoComplete="off"
          value={texts[name] ?? ''}
          onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
        />
      ))}
      {test.data && (
        <Text role="status">
          {test.data.result === null || test.data.result === undefined ? 'No value' : <span className="mono">{test.data.result}</span>}
          <Text span c="dimmed" fz="sm">
            {' '}
            in {test.data.execution_time.toFixed(1)} ms
          </Text>
        </Text>
      )}
    </Form>
  );
}
