export type Operation = 'create' | 'update' | 'delete';

/** The fields that every record has; only the server writes them. */
export interface SystemFields {
  id: string;
  account_id: string;
  account_name?: string | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** Why everything received so far must be fetched again. */
export type ResyncReason = 'expired' | 'epoch' | 'rules' | 'schema' | 'access';

interface EventHead {
  collection: string;
  id: string;
  /** Position of the change in the log; a subscription can resume after it. */
  cursor: string;
  /** When the change was committed. */
  timestamp: string;
}

/** A record was created, changed, or came into sight of the subscription (`change` is `entered`). */
export interface PutEvent<T> extends EventHead {
  operation: 'create' | 'update';
  change?: 'entered';
  data: T;
  /** The values before, if the subscription asked for them. */
  old?: Partial<T>;
}

/** A record was deleted, or went out of sight of the subscription (`change` is `left`). */
export interface DeleteEvent<T> extends EventHead {
  operation: 'delete';
  change?: 'left';
  data: { id: string };
  old?: Partial<T>;
}

export type RecordEvent<T> = PutEvent<T> | DeleteEvent<T>;

/** Any frame of the server, told apart by `type`; errors have none. */
export interface Frame {
  type?: string;
  ref?: string;
  error?: string;
  code?: string;
  [key: string]: unknown;
}
