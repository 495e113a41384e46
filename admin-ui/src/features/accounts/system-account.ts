/** The account of the server itself: its users are superadmins, and users of other accounts do not see its records. */
export const SYSTEM_ACCOUNT = '00000000-0000-0000-0000-000000000000';

/** How it is offered where something may belong to it. */
export const SYSTEM_ACCOUNT_LABEL = 'System account: only superadmins see it';
