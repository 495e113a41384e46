import { useBlocker } from '@tanstack/react-router';
import { useRef } from 'react';
import { ConfirmDialog } from './ConfirmDialog';

interface Props {
  dirty: boolean;
  /** What would be lost. */
  children: string;
}

/** Asks before a slip, a link or the browser's back button loses what was typed. */
export function UnsavedGuard({ dirty, children }: Props) {
  const focused = useRef<Element | null>(null);
  const blocker = useBlocker({
    // A tab or a filter of the same page keeps the form.
    shouldBlockFn: ({ current, next }) => {
      focused.current = document.activeElement;
      return dirty && current.pathname !== next.pathname;
    },
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  // Mounted when needed: a dialog that waits would take the very key that opens it for its own.
  if (blocker.status !== 'blocked') return null;
  const stay = () => {
    blocker.reset();
    // Back to where one was typing, once the dialog is gone.
    window.setTimeout(() => focused.current instanceof HTMLElement && focused.current.focus());
  };
  return (
    <ConfirmDialog
      opened
      title="Discard what you typed?"
      confirm="Discard"
      busy={false}
      error={null}
      onConfirm={blocker.proceed}
      onClose={stay}
    >
      {children}
    </ConfirmDialog>
  );
}
