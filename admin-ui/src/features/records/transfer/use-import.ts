import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api } from '@/api/client';
import { messageOf } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import { SYSTEM_ACCOUNT } from '@/features/accounts/system-account';
import { recordPath, refreshRecords } from '../queries';
import { inBatches } from './chunks';
import { dataOf, type Mapping, type RowProblem, type Source } from './import-rows';

export interface ImportOutcome {
  created: number;
  problems: RowProblem[];
  /** Of a stopped import: how many were not tried any more. */
  untried: number;
}

interface Item {
  row: number;
  data: Record<string, unknown>;
}

/** What can be read is sent, and what is refused is told with its line. */
export function useImport(collection: string, fields: FieldDefinition[]) {
  const queries = useQueryClient();
  const [handled, setHandled] = useState(0);
  const controller = useRef<AbortController | null>(null);

  const run = async (source: Source, mapping: Mapping, account: string): Promise<ImportOutcome> => {
    const stopping = new AbortController();
    controller.current = stopping;
    setHandled(0);
    const problems: RowProblem[] = [];
    const items: Item[] = [];
    for (const [at, row] of source.rows.entries()) {
      try {
        items.push({ row: at + 1, data: dataOf(row, mapping, fields) });
      } catch (error) {
        problems.push({ row: at + 1, message: messageOf(error) });
      }
    }
    const batch = (chunk: Item[]) => api.post(`${recordPath(collection)}/batch`, { records: chunk.map((item) => item.data) });
    // A batch goes to the caller's own account, which is the system account.
    const one = async (chunk: Item[]) => {
      for (const item of chunk) await api.post(recordPath(collection), { ...item.data, account_id: account });
    };
    const outcome = await (account === SYSTEM_ACCOUNT
      ? inBatches({ items, send: batch, onProgress: setHandled, signal: stopping.signal })
      : inBatches({ items, send: one, onProgress: setHandled, signal: stopping.signal, size: 1 }));
    problems.push(...outcome.failures.map(({ item, message }) => ({ row: item.row, message })));
    problems.sort((a, b) => a.row - b.row);
    return { created: outcome.done, problems, untried: source.rows.length - outcome.done - problems.length };
  };

  const job = useMutation({
    mutationFn: (input: { source: Source; mapping: Mapping; account: string }) => run(input.source, input.mapping, input.account),
    onSettled: () => refreshRecords(queries, collection),
  });
  return {
    start: (source: Source, mapping: Mapping, account: string) => job.mutate({ source, mapping, account }),
    stop: () => controller.current?.abort(),
    reset: job.reset,
    running: job.isPending,
    error: job.error,
    outcome: job.data,
    handled,
  };
}
