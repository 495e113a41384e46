/** The account that the pages are narrowed to: part of every address, so that links, reloading and going back keep it. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { accountQuery } from './queries';

const app = getRouteApi('/app');

/** Its id, or undefined for all accounts. */
export function useAccountScope(): string | undefined {
  return app.useSearch().account;
}

export function useSetAccountScope(): (account: string | undefined) => void {
  const navigate = useNavigate();
  return (account) => void navigate({ to: '.', search: (before) => ({ ...before, page: undefined, account }) });
}

/** Its name; undefined while it is loaded, and for all accounts. */
export function useAccountName(id: string | undefined): string | undefined {
  const account = useQuery({ ...accountQuery(id ?? ''), enabled: id !== undefined });
  if (account.error) return 'unknown account';
  return account.data?.name;
}
