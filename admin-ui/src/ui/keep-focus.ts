/**
 * Where the focus goes when nothing has it. A dialog takes it when it opens, but it is lost to the page when a button is
 * disabled while it works, when a palette or a second dialog goes away, or when a row disappears beneath. Then it returns
 * to where it was in the dialog on top, and, once no dialog is open, to where it was on the page.
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

/** The first of these that takes it: what had it may be gone, disabled or hidden by now. */
function focusFirst(candidates: (HTMLElement | null | undefined)[]): void {
  for (const candidate of candidates) {
    if (candidate?.isConnected) candidate.focus({ preventScroll: true });
    if (!isLost()) return;
  }
}

/** For the whole page, once. */
export function useKeepFocus(): void {
  useEffect(() => {
    const inside = new WeakMap<Element, HTMLElement>();
    let outside: HTMLElement | null = null;
    let inDialog = false;
    let waiting = 0;
    const settle = () => {
      waiting = 0;
      if (!isLost()) return;
      const dialog = openDialog();
      // The dialog itself when nothing in it can have it, as long as its button works.
      if (dialog) focusFirst([inside.get(dialog), dialog]);
      else if (inDialog) focusFirst([outside]);
      inDialog = dialog !== null;
    };
    const onFocusIn = ({ target }: FocusEvent) => {
      if (!(target instanceof HTMLElement)) return;
      const dialog = target.closest(DIALOG);
      inDialog = dialog !== null;
      if (dialog) inside.set(dialog, target);
      else if (!openDialog()) outside = target;
    };
    const onFocusOut = ({ relatedTarget }: FocusEvent) => {
      // What goes away and what comes instead may need the rest of this frame.
      if (relatedTarget === null) waiting ||= window.requestAnimationFrame(settle);
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
