import { Link } from '@tanstack/react-router';
import classes from './api-docs.module.css';
import { ENTRIES, PAGES } from './entries';

export function EntryNav({ collection, chosen }: { collection: string; chosen: string }) {
  return (
    <nav className={classes.nav} aria-label="Operations">
      {[...ENTRIES, ...PAGES].map(({ key, label }) => (
        <Link
          key={key}
          to="/collections/$name/api"
          params={{ name: collection }}
          search={{ op: key }}
          className={classes.entry}
          data-chosen={key === chosen || undefined}
          aria-current={key === chosen ? 'true' : undefined}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
