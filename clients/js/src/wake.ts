/** Calls `listener` when a page becomes visible, comes back from the cache, or is online again. Returns how to stop that. */
export function onWake(listener: () => void): () => void {
  const target = globalThis as Partial<Pick<typeof globalThis, 'addEventListener' | 'removeEventListener'>>;
  if (typeof document === 'undefined' || !target.addEventListener) return () => undefined;
  const visible = () => {
    if (document.visibilityState === 'visible') listener();
  };
  document.addEventListener('visibilitychange', visible);
  globalThis.addEventListener('online', listener);
  globalThis.addEventListener('pageshow', listener);
  return () => {
    document.removeEventListener('visibilitychange', visible);
    globalThis.removeEventListener('online', listener);
    globalThis.removeEventListener('pageshow', listener);
  };
}

/** A timer that does not keep a program running. */
export function delay(milliseconds: number, action: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(action, milliseconds);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
