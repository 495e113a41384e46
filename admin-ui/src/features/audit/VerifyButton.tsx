import { Button, List, Modal, Stack, Text } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { Verified } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { verify } from './queries';

/** Follows every chain of the trail and says whether an entry was changed, removed or inserted. */
export function VerifyButton() {
  const check = useMutation({ mutationFn: verify });
  return (
    <>
      <Button variant="default" leftSection={<IconShieldCheck size={16} />} loading={check.isPending} onClick={() => check.mutate()}>
        Verify
      </Button>
      <Modal opened={check.isSuccess || check.isError} onClose={check.reset} title="Audit trail">
        <ErrorPanel error={check.error} />
        {check.data && <Result {...check.data} />}
      </Modal>
    </>
  );
}

function Result({ valid, entries, chains, problems }: Verified) {
  return (
    <Stack gap="sm">
      <Text>
        {valid
          ? `Verified: ${plural(entries, 'entry', 'entries')} in ${plural(chains.length, 'account')} are complete and unchanged.`
          : `The trail was changed. Checked ${plural(entries, 'entry', 'entries')} in ${plural(chains.length, 'account')}.`}
      </Text>
      {problems.length > 0 && (
        <List fz="sm">
          {problems.map(({ account_id, seq, kind }) => (
            <List.Item key={`${account_id} ${String(seq)} ${kind}`}>
              Entry {seq} of account <span className="mono">{account_id}</span>: {kind}
            </List.Item>
          ))}
        </List>
      )}
    </Stack>
  );
}
