import { notifications } from '@mantine/notifications';
import { messageOf } from '@/api/errors';

/** Only for outcomes that have no place of their own on the page. */
export const toast = {
  done(message: string): void {
    notifications.show({ message, color: 'brand', withBorder: true, autoClose: 3500 });
  },
  failed(error: unknown): void {
    notifications.show({ message: messageOf(error), color: 'red', withBorder: true, autoClose: 8000 });
  },
};
