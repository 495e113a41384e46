import { Link, type LinkProps } from '@tanstack/react-router';
import classes from './TabLinks.module.css';

interface Props {
  label: string;
  /** `exact`: only the very address counts as being there. */
  tabs: { label: string; link: LinkProps; exact?: boolean }[];
}

/** Pages that belong together, each with an address of its own. */
export function TabLinks({ label, tabs }: Props) {
  return (
    <nav className={classes.tabs} aria-label={label}>
      {tabs.map(({ label: name, link, exact = false }) => (
        <Link key={name} {...link} className={classes.tab} activeOptions={{ exact, includeSearch: false }}>
          {name}
        </Link>
      ))}
    </nav>
  );
}
