import { Drawer, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

/** A drawer with an address of its own: it is open as long as one is there. */
export function PageDrawer({ title, onClose, children }: Props) {
  const heading = (
    <Text fw={600} component="span" style={{ overflowWrap: 'anywhere' }}>
      {title}
    </Text>
  );
  return (
    <Drawer opened onClose={onClose} title={heading} transitionProps={{ duration: 0 }}>
      {children}
    </Drawer>
  );
}
