import { Checkbox, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { ApiKey, KeyScope } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { Form } from '@/ui/Form';
import { useCreateApiKey } from './queries';
import { SCOPES } from './scopes';

const SHOWN = ['name', 'account_id', 'role_id', 'expires_at', 'scopes'];
const DAYS = [7, 30, 90, 365];

export function ApiKeyForm({ onDone }: { onDone: (key: ApiKey) => void }) {
  const create = useCreateApiKey();
  const [name, setName] = useState('');
  const [account, setAccount] = useState<string | null>(null);
  const [role, setRole] = useState<number | null>(null);
  const [scopes, setScopes] = useState<KeyScope[]>([]);
  const [days, setDays] = useState<string | null>('90');
  const submit = () => {
    const expires_at = days === null ? null : new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    create.mutate({ name: name.trim(), account_id: account, role_id: account === null ? null : role, scopes, expires_at }, { onSuccess: onDone });
  };
  return (
    <Form submit="Create API key" busy={create.isPending} error={create.error} shown={SHOWN} onSubmit={submit}>
      <TextInput
        label="Name"
        description="What it is for"
        required
        withAsterisk={false}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fieldMessage(create.error, 'name')}
      />
      <AccountPicker
        description="In which it acts. A key of the system account reaches every account."
        value={account}
        onChange={setAccount}
        error={fieldMessage(create.error, 'account_id')}
      />
      {account && <RoleSelect placeholder="user" value={role} onChange={setRole} error={fieldMessage(create.error, 'role_id')} />}
      <Checkbox.Group
        label="What it may do"
        description="Without a choice everything, except reading secrets. Reading encrypted fields adds to that; each other choice limits the key to what is chosen."
        value={scopes}
        onChange={setScopes}
        error={fieldMessage(create.error, 'scopes')}
      >
        <Stack gap={6} mt={6}>
          {Object.entries(SCOPES).map(([scope, label]) => (
            <Checkbox key={scope} value={scope} label={label} />
          ))}
        </Stack>
      </Checkbox.Group>
      <Select
        label="Expires"
        placeholder="never"
        clearable
        data={DAYS.map((count) => ({ value: String(count), label: `in ${String(count)} days` }))}
        value={days}
        onChange={setDays}
        error={fieldMessage(create.error, 'expires_at')}
      />
    </Form>
  );
}
