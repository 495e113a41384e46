import { List, Text, VisuallyHidden } from '@mantine/core';
import { IconCheck, IconPoint } from '@tabler/icons-react';
import { checkPassword } from './password-policy';

export function PasswordHints({ id, password }: { id: string; password: string }) {
  return (
    <List id={id} fz="sm" spacing={2} listStyleType="none" c="dimmed" center>
      {checkPassword(password).map(({ label, met }) => (
        <List.Item
          key={label}
          icon={met ? <IconCheck size={14} color="var(--sb-accent-text)" aria-hidden /> : <IconPoint size={14} aria-hidden />}
        >
          <Text span fz="sm" c={met ? 'var(--mantine-color-text)' : 'dimmed'}>
            {label}
            <VisuallyHidden>{met ? ', met' : ', missing'}</VisuallyHidden>
          </Text>
        </List.Item>
      ))}
    </List>
  );
}
