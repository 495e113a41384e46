import { ActionIcon, Collapse, Tooltip } from '@mantine/core';
import { IconFilter, IconFilterPlus, IconX } from '@tabler/icons-react';
import { useId, useMemo, useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { filterCompletions } from '@/features/expressions/completions';
import { ExpressionInput } from '@/features/expressions/ExpressionInput';
import { ProblemList } from '@/features/expressions/ProblemList';
import { problemIn } from '@/features/expressions/problems';
import { useOutside } from '@/ui/use-outside';
import classes from '../toolbar/toolbar.module.css';
import { FilterBuilder } from './FilterBuilder';

interface Props {
  filter: string;
  /** What the server has against the filter in use. */
  error: string | undefined;
  fields: FieldDefinition[];
  onFilter: (text: string) => void;
}

/** The text that the API takes, by hand or put together. */
export function FilterBar({ filter, error, fields, onFilter }: Props) {
  const id = useId();
  const [text, setText] = useOutside(filter);
  const [building, setBuilding] = useState(false);
  const completions = useMemo(() => filterCompletions(fields), [fields]);
  const problems = error !== undefined && text === filter ? [problemIn(error)] : [];
  return (
    <div className={classes.filter}>
      <ExpressionInput
        label="Filter"
        placeholder="Filter, then Enter"
        value={text}
        onChange={setText}
        completions={completions}
        problems={problems}
        describedBy={id}
        onEnter={() => onFilter(text.trim())}
        before={<IconFilter size={16} aria-hidden />}
        after={
          <>
            {text !== '' && (
              <ActionIcon aria-label="Clear the filter" onClick={() => {
                  setText('');
                  if (filter !== '') onFilter('');
                }}>
                <IconX size={16} />
              </ActionIcon>
            )}
            <Tooltip label="Build filter">
              <ActionIcon aria-label="Build filter" aria-expanded={building} onClick={() => setBuilding(!building)}>
                <IconFilterPlus size={16} />
              </ActionIcon>
            </Tooltip>
          </>
        }
      />
      <ProblemList id={id} problems={problems} />
      <Collapse expanded={building} transitionDuration={0}>
        {building && <FilterBuilder text={text} fields={fields} onChange={setText} onApply={() => onFilter(text.trim())} />}
      </Collapse>
    </div>
  );
}
