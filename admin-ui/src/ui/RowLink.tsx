import { Link, type LinkProps } from '@tanstack/react-router';

/** The link in a row that can be clicked anywhere: for the keyboard, and for opening in another tab. */
export function RowLink({ mono = false, ...props }: LinkProps & { mono?: boolean }) {
  return (
    <Link
      {...props}
      className={mono ? 'mono' : undefined}
      style={{ color: 'inherit', fontWeight: 500, textDecoration: 'none' }}
      onClick={(event) => event.stopPropagation()}
    />
  );
}
