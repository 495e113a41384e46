/** The operations of the trail, in the order in which people look for them. */
export const OPERATIONS = [
  { value: 'CREATE', label: 'Created' },
  { value: 'UPDATE', label: 'Updated' },
  { value: 'DELETE', label: 'Deleted' },
  { value: 'LOGIN', label: 'Signed in' },
  { value: 'LOGIN_FAILED', label: 'Failed sign-in' },
  { value: 'LOGOUT', label: 'Signed out' },
  { value: 'EXPORT', label: 'Exported' },
  { value: 'REVEAL', label: 'Read encrypted fields' },
];

/** The operation in words; one that is not known here, as the server calls it. */
export function operationLabel(operation: string): string {
  return OPERATIONS.find(({ value }) => value === operation)?.label ?? operation;
}
