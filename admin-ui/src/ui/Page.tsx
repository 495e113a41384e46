import { Box, Burger, Group, Text } from '@mantine/core';
import { IconChevronLeft } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode, useEffect } from 'react';
import { useNavToggle } from './nav-toggle';
import classes from './Page.module.css';

export interface Crumb {
  label: string;
  to?: string;
}

interface Props {
  crumbs: [Crumb, ...Crumb[]];
  /** The one main action of the page. */
  action?: ReactNode;
  /** Tables reach the edges; everything else keeps a margin. */
  flush?: boolean;
  children: ReactNode;
}

/** The header with where one is and what one can do, and the content below it. */
export function Page({ crumbs, action, flush = false, children }: Props) {
  const nav = useNavToggle();
  const title = crumbs.map((crumb) => crumb.label).reverse().join(' · ');
  useEffect(() => {
    document.title = `${title} · SnackBase`;
  }, [title]);
  return (
    <>
      <header className={classes.bar}>
        <Group gap="xs" wrap="nowrap" style={{ minWidth: 0 }}>
          <Burger opened={nav.opened} onClick={nav.toggle} hiddenFrom="sm" size="sm" aria-label="Open navigation" />
          <nav aria-label="Breadcrumbs" className={classes.crumbs}>
            {crumbs.map((crumb, index) => (
              <Fragment key={crumb.label}>
                {index > 0 && <Text span c="dimmed" aria-hidden className={classes.wide}>/</Text>}
                {crumb.to ? (
                  <Link to={crumb.to} className={classes.link} aria-label={crumb.label}>
                    <span className={classes.wide}>{crumb.label}</span>
                    <IconChevronLeft className={classes.back} size={18} stroke={1.6} aria-hidden />
                  </Link>
                ) : (
                  <h1 className={classes.here} title={crumb.label}>{crumb.label}</h1>
                )}
              </Fragment>
            ))}
          </nav>
        </Group>
        {action && <div className={classes.action}>{action}</div>}
      </header>
      <Box p={flush ? 0 : 'md'}>{children}</Box>
    </>
  );
}
