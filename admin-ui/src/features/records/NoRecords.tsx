import { Button } from '@mantine/core';
import { IconFilterOff, IconPlus, IconTable } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '@/ui/EmptyState';

interface Props {
  name: string;
  filtered: boolean;
  onClear: () => void;
}

export function NoRecords({ name, filtered, onClear }: Props) {
  if (filtered) {
    return (
      <EmptyState
        icon={<IconFilterOff size={32} stroke={1.5} />}
        title="No record matches"
        action={
          <Button variant="default" onClick={onClear}>
            Clear filter and search
          </Button>
        }
      >
        Loosen the filter, or clear it to see everything.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<IconTable size={32} stroke={1.5} />}
      title="No records yet"
      action={
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          renderRoot={(props) => <Link to="/collections/$name/records/new" params={{ name }} {...props} />}
        >
          Create the first record
        </Button>
      }
    >
      Records come from your applications through <span className="mono">POST /api/v1/records/{name}</span>, from a file, or from here.
    </EmptyState>
  );
}
