/**
 * Keeps the focus inside of an open dialog. A dialog takes it when it opens, but nothing gives it back when it is lost
 * to the page: a button that is disabled while it works, a palette that closes, a row that goes away beneath.
 */
import { useEffect } from 'react';

const DIALOG = '[role="dialog"][aria-modal="true"]';

/** The one on top, which is the last of the page. */
export function openDialog(): HTMLElement | null {
  return [...document.querySelectorAll<HTMLElement>(DIALOG)].at(-1) ?? null;
}

function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** For the whole page, once. */
export function useKeepFocus(): void {
  useEffect(() => {
    let waiting = 0;
    let last: HTMLElement | null = null;
    const settle = () => {
      waiting = 0;
      const dialog = openDialog();
      if (!dialog || !isLost()) return;
      const before = last && dialog.contains(last) ? last : null;
      before?.focus({ preventScroll: true });
      // What had it may be disabled or hidden by now.
      if (isLost()) (dialog.querySelector<HTMLElement>('[data-autofocus]') ?? dialog).focus({ preventScroll: true });
      if (isLost()) dialog.focus({ preventScroll: true });
    };
    const later = () => {
      waiting ||= window.requestAnimationFrame(settle);
    };
    const onFocusIn = (event: FocusEvent) => {
      if (event.target instanceof HTMLElement) last = event.target;
    };
    const onFocusOut = (event: FocusEvent) => {
      if (event.relatedTarget === null) later();
    };
    document.addEventListener('focusin', onFocusIn);
    document.addEventListener('focusout', onFocusOut);
    return () => {
      window.cancelAnimationFrame(waiting);
      document.removeEventListener('focusin', onFocusIn);
      document.removeEventListener('focusout', onFocusOut);
    };
  }, []);
}
