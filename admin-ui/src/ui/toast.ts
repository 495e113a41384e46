import { notifications } from '@mantine/notifications';
import { createElement } from 'react';
import { ErrorWords } from './ErrorWords';
import { UndoToast } from './UndoToast';

const CLOSE = { 'aria-label': 'Dismiss' };

/** Only for outcomes that have no place of their own on the page. */
export const toast = {
  done(message: string): void {
    notifications.show({ message, color: 'brand', withBorder: true, closeButtonProps: CLOSE, autoClose: 3500 });
  },
  failed(error: unknown): void {
    notifications.show({ message: createElement(ErrorWords, { error }), color: 'red', withBorder: true, closeButtonProps: CLOSE, autoClose: 8000 });
  },
  /** For what can really be taken back; `undo` does so. */
  undo(message: string, undo: () => Promise<unknown>): void {
    const over = () => {
      if (latest === back) latest = null;
    };
    const back = () => {
      over();
      notifications.hide(id);
      undo().then(
        () => toast.done('Undone.'),
        (error: unknown) => toast.failed(error),
      );
    };
    const content = createElement(UndoToast, { message, onUndo: back });
    const id = notifications.show({ message: content, color: 'brand', withBorder: true, closeButtonProps: CLOSE, autoClose: 8000, onClose: over });
    latest = back;
  },
};

let latest: (() => void) | null = null;

/** What the toast that is still there offers, for the keyboard. */
export function undoLatest(): void {
  latest?.();
}
