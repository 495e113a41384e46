import { Text, Title } from '@mantine/core';
import { IconActivity, IconDatabase, IconFlask, IconPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import classes from './Overview.module.css';

const LINKS = [
  { to: '/collections/new', icon: IconPlus, label: 'Create a collection', hint: 'fields, types, references' },
  { to: '/collections', icon: IconDatabase, label: 'Browse collections', hint: 'records and access rules' },
  { to: '/live', icon: IconActivity, label: 'Watch changes live', hint: 'every account, as they are committed' },
  { to: '/live/playground', icon: IconFlask, label: 'Try a subscription', hint: 'as any user' },
] as const;

export function QuickLinks() {
  return (
    <section className="sb-panel" aria-label="Go to">
      <header>
        <Title order={2}>Go to</Title>
      </header>
      {LINKS.map(({ to, icon: Icon, label, hint }) => (
        <Link key={to} to={to} className={classes.row}>
          <span className={classes.label}>
            <Icon size={16} stroke={1.6} aria-hidden />
            {label}
          </span>
          <Text span c="dimmed" fz="sm" className="ellipsis">
            {hint}
          </Text>
        </Link>
      ))}
    </section>
  );
}
