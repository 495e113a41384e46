import { useQuery } from '@tanstack/react-query';
import { userQuery } from '@/features/users/queries';
import { UserPicker } from '@/features/users/UserPicker';

interface Props {
  userId: string | undefined;
  onChange: (userId: string | undefined) => void;
}

/** Whose rights the connection has: any user's, without their password. */
export function ActAs({ userId, onChange }: Props) {
  const user = useQuery({ ...userQuery(userId ?? ''), enabled: userId !== undefined });
  return (
    <UserPicker
      label="As the user"
      description="Without a choice it is you, who sees everything"
      value={userId === undefined ? null : (user.data ?? null)}
      onChange={(chosen) => onChange(chosen?.id)}
    />
  );
}
