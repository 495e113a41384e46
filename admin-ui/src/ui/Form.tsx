import { Button, Group, Stack } from '@mantine/core';
import { type ReactNode, type RefObject, useEffect, useRef } from 'react';
import { ErrorPanel } from './ErrorPanel';
import { focusRefused } from './focus-refused';

interface Props {
  /** The verb on the button that sends it. */
  submit: string;
  busy?: boolean;
  disabled?: boolean;
  /** For what stands beside something more important. */
  quiet?: boolean;
  error?: unknown;
  /** The fields whose messages stand at their controls. */
  shown?: readonly string[] | ((field: string) => boolean);
  /** Where the buttons stand; `fill` is for narrow pages with one button. */
  align?: 'start' | 'end' | 'fill';
  /** Other buttons beside the one that sends it. */
  beside?: ReactNode;
  /** Keeps the buttons in sight in forms that are longer than the window. */
  sticky?: boolean;
  /** Lets the server judge every value, in its own words. */
  noValidate?: boolean;
  maw?: number;
  onSubmit: () => void;
  children: ReactNode;
}

/** The frame of every form: controls, what the server has against the whole, buttons. */
export function Form({ submit, busy, disabled, quiet, error, shown = [], align = 'end', beside, sticky, noValidate, maw, onSubmit, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  useFocusAfterAnswer(form, busy ?? false);
  const placed = typeof shown === 'function' ? shown : (field: string) => shown.includes(field);
  const button = (
    <Button type="submit" variant={quiet ? 'default' : 'filled'} disabled={disabled} loading={busy}>
      {submit}
    </Button>
  );
  return (
    <form
      ref={form}
      noValidate={noValidate}
      onSubmit={(event) => {
        event.preventDefault();
        // A form inside of a dialog is part of the page's own form in React's eyes.
        event.stopPropagation();
        if (!busy && !disabled) onSubmit();
      }}
    >
      <Stack gap="sm" maw={maw}>
        {children}
        <ErrorPanel error={error} shownFields={placed} />
        {align === 'fill' ? (
          button
        ) : (
          <Group gap="xs" justify={`flex-${align}`} className={sticky ? 'sb-form-foot' : undefined}>
            {align === 'end' && beside}
            {button}
            {align === 'start' && beside}
          </Group>
        )}
      </Stack>
    </form>
  );
}

/** The button is disabled while it works, which takes the focus away: it goes to what was refused, else back to the button. */
function useFocusAfterAnswer(form: RefObject<HTMLFormElement | null>, busy: boolean): void {
  const wasBusy = useRef(false);
  useEffect(() => {
    const answered = wasBusy.current && !busy;
    wasBusy.current = busy;
    if (!answered || !form.current) return;
    const active = document.activeElement;
    // A quick answer comes before the browser has taken the focus away from the button.
    const atButton = form.current.contains(active) && active?.matches('[type="submit"]') === true;
    const waits = atButton || active === document.body || active?.contains(form.current) === true;
    if (!waits) return;
    if (!focusRefused(form.current)) form.current.querySelector<HTMLElement>('[type="submit"]')?.focus();
  }, [form, busy]);
}
