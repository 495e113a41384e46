import { IconChevronRight } from '@tabler/icons-react';
import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';

/** A heading that leads to the page with more of the same. */
export function HeadingLink({ children, ...link }: LinkProps & { children: ReactNode }) {
  return (
    <Link {...link} className="sb-heading-link">
      {children}
      <IconChevronRight size={14} stroke={2} aria-hidden color="var(--mantine-color-dimmed)" />
    </Link>
  );
}
