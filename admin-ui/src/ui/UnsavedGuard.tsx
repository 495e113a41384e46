import { useBlocker } from '@tanstack/react-router';
import { ConfirmDialog } from './ConfirmDialog';

interface Props {
  dirty: boolean;
  /** What would be lost. */
  children: string;
}

/** Asks before a slip, a link or the browser's back button loses what was typed. */
export function UnsavedGuard({ dirty, children }: Props) {
  const blocker = useBlocker({
    // A tab or a filter of the same page keeps the form.
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  // Mounted when needed: a dialog that waits would take the very key that opens it for its own.
  if (blocker.status !== 'blocked') return null;
  return (
    <ConfirmDialog
      opened
      title="Discard what you typed?"
      confirm="Discard"
      busy={false}
      error={null}
      onConfirm={blocker.proceed}
      onClose={blocker.reset}
    >
      {children}
    </ConfirmDialog>
  );
}
