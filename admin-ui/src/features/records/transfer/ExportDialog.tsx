import { Button, Group, Modal, SegmentedControl, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { download } from '@/ui/download';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { JobProgress } from '@/ui/JobProgress';
import { toast } from '@/ui/toast';
import { columnsOf } from '../columns';
import type { ListQuery } from '../queries';
import { csvHead, csvRows, picked, walkRecords } from './export-rows';

interface Props {
  collection: string;
  fields: FieldDefinition[];
  columns: string[];
  list: ListQuery;
  onClose: () => void;
}

export function ExportDialog({ collection, fields, columns, list, onClose }: Props) {
  const [format, setFormat] = useState('csv');
  const [extent, setExtent] = useState('all');
  const [progress, setProgress] = useState({ done: 0, total: 0 });
  const stop = useRef<AbortController | null>(null);
  const names = extent === 'shown' ? columns : columnsOf(fields).map((column) => column.name);

  const run = async () => {
    const controller = new AbortController();
    stop.current = controller;
    const parts: string[] = format === 'csv' ? [csvHead(names)] : ['['];
    let done = 0;
    await walkRecords({
      collection,
      ...list,
      fields: null,
      signal: controller.signal,
      onPage: (rows, total) => {
        if (format === 'csv') parts.push(csvRows(rows, names));
        else for (const [at, row] of rows.entries()) parts.push(`${done + at > 0 ? ',\n' : '\n'}${JSON.stringify(picked(row, names))}`);
        done += rows.length;
        setProgress({ done, total: Math.max(total, done) });
      },
    });
    if (format === 'json') parts.push('\n]\n');
    download(`${collection}.${format}`, format === 'csv' ? 'text/csv' : 'application/json', parts);
    return done;
  };
  const work = useMutation({
    mutationFn: run,
    onSuccess: (count) => {
      toast.done(`Exported ${plural(count, 'record')} of ${collection}.`);
      onClose();
    },
  });
  const close = () => {
    stop.current?.abort();
    onClose();
  };
  return (
    <Modal opened onClose={close} title={`Export ${collection}`}>
      <Stack gap="sm">
        <Group gap="lg">
          <SegmentedControl aria-label="Format" data={[{ value: 'csv', label: 'CSV' }, { value: 'json', label: 'JSON' }]} value={format} onChange={setFormat} />
          <SegmentedControl
            aria-label="Columns"
            data={[{ value: 'all', label: 'All columns' }, { value: 'shown', label: 'Shown columns' }]}
            value={extent}
            onChange={setExtent}
          />
        </Group>
        <Text c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {list.filter === '' && list.search === undefined && 'Every record, in every account'}
          {list.filter !== '' && <>Records where <span className="mono">{list.filter}</span></>}
          {list.search !== undefined && ` Records with “${list.search}”`}, in the order of the list.
        </Text>
        {work.isPending && <JobProgress label="Exporting" done={progress.done} total={progress.total} onStop={close} />}
        <ErrorPanel error={work.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button loading={work.isPending} onClick={() => work.mutate()} data-autofocus>
            Export
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
