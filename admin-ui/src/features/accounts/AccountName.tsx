import { useAccountName } from './scope';

/** An account by its name. */
export function AccountName({ id }: { id: string }) {
  return <>{useAccountName(id) ?? '…'}</>;
}
