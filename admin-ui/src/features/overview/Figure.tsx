import { Skeleton, Text } from '@mantine/core';
import type { LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { HeadingLink } from '@/ui/HeadingLink';

interface Props {
  label: string;
  value: string | undefined;
  note?: string;
  to?: LinkProps['to'];
}

export function Figure({ label, value, note, to }: Props) {
  const name: ReactNode = to ? (
    <HeadingLink to={to}>{label}</HeadingLink>
  ) : (
    label
  );
  return (
    <div className="sb-panel" style={{ padding: '10px 12px' }}>
      <Text c="dimmed" fz="sm">
        {name}
      </Text>
      <Text fz={22} fw={600} lh="30px" className="tabular" component="div">
        {value ?? <Skeleton h={18} my={6} w={64} />}
      </Text>
      <Text c="dimmed" fz="xs" mih={18}>
        {note}
      </Text>
    </div>
  );
}
