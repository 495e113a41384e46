import { Center, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { Logo } from '@/app/shell/Logo';

interface Props {
  title: string;
  intro: ReactNode;
  children: ReactNode;
}

/** The pages before one is signed in. */
export function EntryLayout({ title, intro, children }: Props) {
  useEffect(() => {
    document.title = `${title} · SnackBase`;
  }, [title]);
  return (
    <Center mih="100dvh" p="md" bg="var(--sb-surface)" component="main">
      <Paper w="100%" maw={400} p="lg" radius="md" bg="var(--mantine-color-body)">
        <Stack gap="md">
          <Group gap="sm">
            <Logo size={28} />
            <Text fw={600}>SnackBase</Text>
          </Group>
          <Stack gap={4}>
            <Title order={1}>{title}</Title>
            <Text c="dimmed">{intro}</Text>
          </Stack>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}
