import { Skeleton, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface Props {
  label: string;
  value: string | undefined;
  note?: string;
  to?: string;
}

export function Figure({ label, value, note, to }: Props) {
  const name: ReactNode = to ? (
    <Link to={to} style={{ color: 'inherit' }}>
      {label}
    </Link>
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
