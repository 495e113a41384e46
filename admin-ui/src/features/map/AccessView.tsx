import { Select, Table, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconInfoCircle, IconLock, IconUserCheck, IconUserQuestion, IconWorld, type TablerIcon } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { CollectionListItem } from '@/api/types';
import { rolesQuery } from '@/features/roles/queries';
import { type Operation, OPERATIONS } from '@/features/rules/rule-state';
import { summarise } from '@/features/rules/rule-summary';
import { type Access, accessOf, type CollectionRules, rolesIn, type Warning, warningsFor } from './access';
import classes from './map.module.css';

interface Props {
  collections: CollectionListItem[];
  rules: ReadonlyMap<string, CollectionRules>;
  role: string;
  onRole: (role: string) => void;
}

/** All rules of all collections, as users of one role meet them. */
export function AccessView({ collections, rules, role, onRole }: Props) {
  const roles = useQuery(rolesQuery).data?.items ?? [];
  return (
    <>
      <div className={classes.roles}>
        <Select label="For users with the role" w={240} allowDeselect={false} data={roles.map(({ name }) => name)} value={role} onChange={(next) => next && onRole(next)} />
        <Text fz="sm" c="dimmed">
          Rules apply within the account of the user. Superadmins are not limited by them.
        </Text>
      </div>
      <Table.ScrollContainer minWidth={720} type="native">
        <Table className="sb-table" aria-label={`Access of the role ${role}`}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Collection</Table.Th>
              {OPERATIONS.map((operation) => (
                <Table.Th key={operation} className={classes.operation}>
                  {operation}
                </Table.Th>
              ))}
              <Table.Th>Check</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {collections.map((collection) => {
              const own = rules.get(collection.name);
              return (
                <Table.Tr key={collection.name}>
                  <Table.Td className="ellipsis">
                    <Link to="/collections/$name/rules" params={{ name: collection.name }} className={`mono ${classes.plain ?? ''}`}>
                      {collection.name}
                    </Link>
                  </Table.Td>
                  {OPERATIONS.map((operation) => (
                    <Table.Td key={operation}>{own && <AccessMark operation={operation} rule={own[operation]} role={role} />}</Table.Td>
                  ))}
                  <Table.Td className={classes.warnings}>{own && <Warnings warnings={warningsFor(collection, own)} />}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

const MARKS: Record<Access, { label: string; icon: TablerIcon }> = {
  all: { label: 'all', icon: IconCheck },
  own: { label: 'own', icon: IconUserCheck },
  some: { label: 'some', icon: IconUserQuestion },
  none: { label: 'none', icon: IconLock },
};

function AccessMark({ operation, rule, role }: { operation: Operation; rule: string | null; role: string }) {
  const access = accessOf(rule, role);
  const named = rule !== null && rolesIn(rule).includes(role);
  const { label, icon } = MARKS[access];
  const Icon = rule === '' ? IconWorld : icon;
  return (
    <span className={classes.mark} data-access={rule === '' ? 'public' : access} title={`${summarise(operation, rule)}${rule ? `\n${rule}` : ''}`}>
      <Icon size={15} stroke={1.6} aria-hidden /> {rule === '' ? 'public' : label}
      {named && <b> · role</b>}
    </span>
  );
}

function Warnings({ warnings }: { warnings: Warning[] }) {
  return warnings.map(({ level, text }) => {
    const Icon = level === 'note' ? IconInfoCircle : IconAlertTriangle;
    return (
      <div key={text} className={classes.warning} data-level={level}>
        <Icon size={15} stroke={1.6} aria-label={level} /> {text}
      </div>
    );
  });
}
