import { localStorageColorSchemeManager } from '@mantine/core';

const KEY = 'snackbase.scheme';

export const schemeManager = localStorageColorSchemeManager({ key: KEY });

/**
 * Sets the scheme before the first render. The usual inline script for this is
 * impossible here: the content security policy allows no inline scripts.
 */
export function applySchemeEarly(): void {
  const chosen = localStorage.getItem(KEY);
  const prefersDark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const dark = chosen === 'dark' || (chosen !== 'light' && prefersDark);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
}
