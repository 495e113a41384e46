import { Input, Select } from '@mantine/core';
import { useId } from 'react';
import type { Completion } from '@/features/expressions/completions';
import { ExpressionInput } from '@/features/expressions/ExpressionInput';
import { problemIn } from '@/features/expressions/problems';
import { RETURN_TYPES } from './field-types';
import type { DetailsProps } from './FieldDetails';

const FUNCTIONS: [string, string][] = [
  ['concat(|)', 'texts, one after another'],
  ['upper(|)', ''],
  ['lower(|)', ''],
  ['trim(|)', ''],
  ['length(|)', 'characters'],
  ['substring(|)', 'text, from, length'],
  ['abs(|)', ''],
  ['ceil(|)', ''],
  ['floor(|)', ''],
  ['round(|)', 'number, digits'],
  ['if(|)', 'condition, then, else'],
  ['coalesce(|)', 'the first that is not null'],
  ['nullif(|)', ''],
  ['now()', 'this moment'],
  ['date_diff(|)', "later, earlier, 'days'"],
  ['date_add(|)', "date, number, 'days'"],
];

const COMPLETIONS: Completion[] = FUNCTIONS.map(([insert, detail]) => ({ insert, label: insert.replace('|', ''), detail }));

export function ComputedDetails({ draft, errors, onChange }: DetailsProps) {
  const id = useId();
  const error = errors.expression;
  return (
    <>
      <Input.Wrapper label="Expression" labelElement="div" error={error} errorProps={{ id }} style={{ gridColumn: '1 / -1' }}>
        <ExpressionInput
          label={`Expression of ${draft.name || 'the field'}`}
          value={draft.expression}
          onChange={(expression) => onChange({ expression })}
          completions={COMPLETIONS}
          problems={error === undefined ? [] : [problemIn(error)]}
          describedBy={error === undefined ? undefined : id}
          placeholder="price * quantity"
        />
      </Input.Wrapper>
      <Select
        label="Type of the value"
        placeholder="Choose"
        data={RETURN_TYPES}
        value={draft.return_type}
        error={errors.return_type}
        onChange={(return_type) => onChange({ return_type })}
      />
    </>
  );
}
