import { Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { formatNumber, shortId } from '@/ui/format';
import { referrersFilter, useReferrers } from './referrers';
import classes from './ReferredBy.module.css';

/** The records of other collections that refer to this one, a few by name and all by a link. */
export function ReferredBy({ collection, id }: { collection: string; id: string }) {
  const referrers = useReferrers(collection, id);
  if (!referrers || referrers.length === 0) return null;
  return (
    <Stack gap={6} component="section" aria-label="Referred to by">
      <Title order={2} size="h4">
        Referred to by
      </Title>
      {referrers.map(({ collection: name, field, total, first }) => (
        <div key={`${name} ${field}`} className={classes.group}>
          <Link to="/collections/$name/records" params={{ name }} search={{ filter: referrersFilter(field, id) }} className="sb-link">
            {formatNumber(total)} in {name}
          </Link>
          <Text span fz="sm" c="dimmed">
            by {field}
          </Text>
          {first.map((record) => (
            <Link key={record.id} to="/collections/$name/records/$id" params={{ name, id: record.id }} search={{}} className={classes.chip}>
              {record.title ?? shortId(record.id)}
            </Link>
          ))}
        </div>
      ))}
    </Stack>
  );
}
