import { useQuery } from '@tanstack/react-query';
import { userQuery } from './queries';
import { UserPicker } from './UserPicker';

interface Props {
  userId: string | undefined;
  onChange: (userId: string | undefined) => void;
}

/** Narrows a list to what one user did. */
export function UserFilter({ userId, onChange }: Props) {
  const user = useQuery({ ...userQuery(userId ?? ''), enabled: userId !== undefined });
  const chosen = userId === undefined ? null : (user.data ?? null);
  return <UserPicker label="User" bare placeholder="Any user" value={chosen} onChange={(next) => onChange(next?.id)} />;
}
