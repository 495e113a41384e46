import { Alert, Checkbox, Radio, Select, Stack, TextInput } from '@mantine/core';
import type { ApiKey, KeyScope } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { Form } from '@/ui/Form';
import { useApiForm } from '@/ui/use-api-form';
import { useCreateApiKey } from './queries';
import { CHOICES, limitedScopes, SCOPES, SECRETS } from './scopes';

const DAYS = [7, 30, 90, 365];
const DAY_MILLISECONDS = 86_400_000;

interface Values extends Record<string, unknown> {
  name: string;
  /** Whether the key acts in one account or in all of them. */
  access: 'account' | 'server';
  account_id: string | null;
  role_id: number | null;
  /** Whether the key is limited to the scopes below. */
  rights: 'chosen' | 'everything';
  scopes: KeyScope[];
  days: string | null;
}

interface Props {
  /** The account that is looked at, if it is one. */
  account: string | null;
  onDone: (key: ApiKey) => void;
}

/** The narrowest key is the default; every account and every right have to be asked for. */
export function ApiKeyForm({ account, onDone }: Props) {
  const create = useCreateApiKey();
  const form = useApiForm<Values>(
    { name: '', access: 'account', account_id: account, role_id: null, rights: 'chosen', scopes: [], days: '90' },
    create.error,
  );
  const { values, input, set } = form;
  const everywhere = values.access === 'server';
  const limited = values.rights === 'chosen';
  const submit = () => {
    const { name, account_id, role_id, scopes, days } = values;
    create.mutate(
      {
        name: name.trim(),
        account_id: everywhere ? null : account_id,
        role_id: everywhere ? null : role_id,
        scopes: limited ? limitedScopes(scopes) : scopes.filter((scope) => scope === SECRETS),
        expires_at: days === null ? null : new Date(Date.now() + Number(days) * DAY_MILLISECONDS).toISOString(),
      },
      { onSuccess: onDone },
    );
  };
  const incomplete = limited && values.scopes.length === 0;
  return (
    <Form
      submit="Create API key"
      busy={create.isPending}
      disabled={incomplete}
      error={create.error}
      shown={[...form.shown, 'expires_at']}
      onSubmit={submit}
    >
      <TextInput label="Name" description="What the key is for" required withAsterisk={false} data-autofocus {...input('name')} />
      <Radio.Group label="Works in" {...input('access')}>
        <Stack gap={6} mt={6}>
          <Radio value="account" label="One account" />
          <Radio value="server" label="Every account, as a superadmin" />
        </Stack>
      </Radio.Group>
      {everywhere ? (
        <Alert color="orange" p="xs">
          No rule limits this key: it reaches the records of every account.
        </Alert>
      ) : (
        <>
          <AccountPicker required {...input('account_id')} value={values.account_id} onChange={(id) => set('account_id', id)} />
          <RoleSelect placeholder="user" {...input('role_id')} value={values.role_id} onChange={(id) => set('role_id', id)} />
        </>
      )}
      <Radio.Group label="Permissions" {...input('rights')}>
        <Stack gap={6} mt={6}>
          <Radio value="chosen" label="Only these" />
          {limited && <Scopes value={values.scopes} error={input('scopes').error} offered={CHOICES} onChange={(scopes) => set('scopes', scopes)} />}
          <Radio value="everything" label={everywhere ? 'Everything' : 'Everything that the role allows'} />
          {!limited && <Scopes value={values.scopes} error={input('scopes').error} offered={[SECRETS]} onChange={(scopes) => set('scopes', scopes)} />}
        </Stack>
      </Radio.Group>
      <Select
        label="Expires"
        placeholder="never"
        clearable
        data={DAYS.map((count) => ({ value: String(count), label: `in ${String(count)} days` }))}
        {...input('days')}
      />
    </Form>
  );
}

interface ScopesProps {
  value: KeyScope[];
  offered: readonly KeyScope[];
  error: string | undefined;
  onChange: (scopes: KeyScope[]) => void;
}

function Scopes({ value, offered, error, onChange }: ScopesProps) {
  return (
    <Checkbox.Group aria-label="Scopes" value={value} onChange={(scopes) => onChange(scopes)} error={error}>
      <Stack gap={6} pl={28}>
        {offered.map((scope) => (
          <Checkbox key={scope} value={scope} label={SCOPES[scope]} />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}
