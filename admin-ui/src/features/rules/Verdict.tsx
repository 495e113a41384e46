import { Alert } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { ReactNode } from 'react';

export function Verdict({ allowed, children }: { allowed: boolean; children: ReactNode }) {
  return (
    <Alert
      role="status"
      p="xs"
      color={allowed ? 'brand' : 'red'}
      icon={allowed ? <IconCircleCheck size={18} /> : <IconCircleX size={18} />}
    >
      <strong>{allowed ? 'Let in.' : 'Refused.'}</strong> {children}
    </Alert>
  );
}
