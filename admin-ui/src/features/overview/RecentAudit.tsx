import { Skeleton, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { AuditRow } from '@/api/types';
import { entriesOf } from '@/features/audit/entries';
import { storyOf } from '@/features/audit/story';
import { useRecordTitles } from '@/features/audit/record-titles';
import { useMemo } from 'react';
import { HeadingLink } from '@/ui/HeadingLink';
import { TimeText } from '@/ui/TimeText';
import classes from './Overview.module.css';

const SHOWN = 6;

export function RecentAudit({ rows }: { rows: AuditRow[] | undefined }) {
  const entries = useMemo(() => entriesOf(rows ?? []).slice(0, SHOWN), [rows]);
  const titles = useRecordTitles(entries);
  return (
    <section className="sb-panel" aria-label="Recent activity">
      <header>
        <Title order={2}>
          <HeadingLink to="/audit">Recent activity</HeadingLink>
        </Title>
      </header>
      {!rows && <Skeleton h={180} m="sm" w="auto" />}
      {rows?.length === 0 && (
        <Text c="dimmed" p="sm">
          Nothing has been recorded yet.
        </Text>
      )}
      {entries.map((entry) => {
        const { verb, name, context } = storyOf(entry, titles.get(entry.recordId));
        return (
          <Link key={entry.id} to="/audit" search={{ table: entry.table, record: entry.recordId || undefined, entry: entry.id }} className={classes.row}>
            <span className="ellipsis">
              {entry.who} {verb} {name} <span className={classes.quiet}>{context}</span>
            </span>
            <Text span c="dimmed" fz="sm" style={{ whiteSpace: 'nowrap' }}>
              <TimeText value={entry.when} />
            </Text>
          </Link>
        );
      })}
    </section>
  );
}
