/** What the trail tells of, in the order in which people look for it. */
export const OPERATIONS = [
  { value: 'CREATE', label: 'Created' },
  { value: 'UPDATE', label: 'Changed' },
  { value: 'DELETE', label: 'Deleted' },
  { value: 'LOGIN', label: 'Signed in' },
  { value: 'LOGIN_FAILED', label: 'Refused to sign in' },
  { value: 'LOGOUT', label: 'Signed out' },
  { value: 'EXPORT', label: 'Exported' },
  { value: 'REVEAL', label: 'Read secrets' },
];

/** The operation in words; one that is not known here as the server calls it. */
export function operationLabel(operation: string): string {
  return OPERATIONS.find(({ value }) => value === operation)?.label ?? operation;
}
