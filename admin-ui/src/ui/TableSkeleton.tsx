import { Skeleton, Table } from '@mantine/core';

/** Rows of the final height, so that nothing moves when the data arrives. */
export function TableSkeleton({ rows, columns }: { rows: number; columns: number }) {
  return (
    <>
      {Array.from({ length: rows }, (_, row) => (
        <Table.Tr key={row} aria-hidden>
          {Array.from({ length: columns }, (_, column) => (
            <Table.Td key={column}>
              <Skeleton h={12} w={`${45 + ((row * 7 + column * 13) % 40)}%`} />
            </Table.Td>
          ))}
        </Table.Tr>
      ))}
    </>
  );
}
