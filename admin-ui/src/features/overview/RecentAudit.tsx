import { Skeleton, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { AuditRow } from '@/api/types';
import { operationLabel } from '@/features/audit/operations';
import { HeadingLink } from '@/ui/HeadingLink';
import { TimeText } from '@/ui/TimeText';
import { entriesOf, tableLabel } from './audit-entries';
import classes from './Overview.module.css';

const SHOWN = 6;

export function RecentAudit({ rows }: { rows: AuditRow[] | undefined }) {
  return (
    <section className="sb-panel" aria-label="Newest audit entries">
      <header>
        <Title order={2}>
          <HeadingLink to="/audit">Newest audit entries</HeadingLink>
        </Title>
      </header>
      {!rows && <Skeleton h={180} m="sm" w="auto" />}
      {rows?.length === 0 && (
        <Text c="dimmed" p="sm">
          Nothing was audited yet.
        </Text>
      )}
      {rows &&
        entriesOf(rows)
          .slice(0, SHOWN)
          .map(({ id, operation, table, recordId, who, at }) => (
            <Link key={id} to="/audit" search={{ table, record: recordId || undefined }} className={classes.row}>
              <span className="ellipsis">
                {operationLabel(operation)} <span className="mono">{tableLabel(table)}</span>
                <Text span c="dimmed">
                  {' '}
                  by {who}
                </Text>
              </span>
              <Text span c="dimmed" fz="sm" style={{ whiteSpace: 'nowrap' }}>
                <TimeText value={at} />
              </Text>
            </Link>
          ))}
    </section>
  );
}
