/** What the server keeps of every record itself. */
export const SYSTEM_FIELDS: readonly string[] = ['id', 'account_id', 'created_at', 'created_by', 'updated_at', 'updated_by'];
