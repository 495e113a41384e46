import { Group, Skeleton, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { CollectionListItem } from '@/api/types';
import { plural } from '@/ui/format';
import classes from './Overview.module.css';

export function RecentCollections({ items }: { items: CollectionListItem[] | undefined }) {
  return (
    <section className="sb-panel" aria-label="Newest collections">
      <header>
        <Title order={2}>Newest collections</Title>
      </header>
      {items ? (
        items.map((item) => (
          <Link key={item.id} to="/collections/$name/records" params={{ name: item.name }} className={classes.row}>
            <span className="mono ellipsis">{item.name}</span>
            <Text span c="dimmed" fz="sm" className="tabular" style={{ whiteSpace: 'nowrap' }}>
              {plural(item.records_count, 'record')}
            </Text>
          </Link>
        ))
      ) : (
        <Group p="sm">
          <Skeleton h={180} />
        </Group>
      )}
    </section>
  );
}
