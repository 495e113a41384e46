import { Button } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { api } from '@/api/client';
import { toast } from '@/ui/toast';

/** The TypeScript types of every collection, as the server writes them. */
export function CopyAllTypes() {
  const copy = useMutation({
    mutationFn: async () => navigator.clipboard.writeText(await api.get<string>('/admin/types/typescript')),
    onSuccess: () => toast.done('Copied the types of all collections.'),
    onError: (error) => toast.failed(error),
  });
  return (
    <Button variant="default" leftSection={<IconCopy size={16} />} loading={copy.isPending} onClick={() => copy.mutate()}>
      Copy the types of all collections
    </Button>
  );
}
