/** Moves the focus to the first control that was refused, in sight with its label; says whether there is one. */
export function focusRefused(form: HTMLElement | null): boolean {
  const refused = form?.querySelector<HTMLElement>('[aria-invalid="true"]:not([disabled])');
  refused?.focus();
  refused?.closest('.mantine-InputWrapper-root')?.scrollIntoView({ block: 'nearest' });
  return Boolean(refused);
}
