// The frames of the server, as far as this client uses them.

export type Operation = 'create' | 'update' | 'delete';

/** A record as the server shows it: what it always has, and the fields of its collection. */
export interface SystemFields {
  id: string;
  account_id: string;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** Why what was received so far is no longer to be relied on. */
export type ResyncReason = 'expired' | 'epoch' | 'rules' | 'schema' | 'access';

interface EventHead {
  collection: string;
  id: string;
  /** Where the change stands in the log: a subscription may go on from here. */
  cursor: string;
  /** When it was committed. */
  timestamp: string;
}

/** A record was created, changed, or came into what this subscription sees (`change` is `entered`). */
export interface PutEvent<T> extends EventHead {
  operation: 'create' | 'update';
  change?: 'entered';
  data: T;
  /** The values before, if the subscription asked for them. */
  old?: Partial<T>;
}

/** A record was deleted, or left what this subscription sees (`change` is `left`). */
export interface DeleteEvent<T> extends EventHead {
  operation: 'delete';
  change?: 'left';
  data: { id: string };
  old?: Partial<T>;
}

export type RecordEvent<T> = PutEvent<T> | DeleteEvent<T>;

/** What a subscription may ask for; all of it is decided by the server. */
export interface SubscribeOptions {
  /** Only these; all of them if it is left out. */
  operations?: Operation[];
  /** One record: the collection's view rule decides, not its list rule. */
  record?: string;
  /** In the language of REST filters. */
  filter?: string;
  /** Only these fields, and the system's. */
  fields?: string[];
  /** References in whose place their records are shown, as in `author.country`. */
  expand?: string[];
  /** Go on after this cursor: what was missed comes first. */
  since?: string;
  /** The records that there are come first. */
  snapshot?: boolean;
  /** The order of the snapshot. */
  sort?: string;
  /** Records of the snapshot at most; 100 if it is left out, up to 1000. */
  limit?: number;
  /** Events carry the values before. */
  old?: boolean;
  /** Superadmins only: an account by id, code or slug, or `*`. */
  account?: string;
}

/** Any frame: told apart by `type`; errors have none. */
export interface Frame {
  type?: string;
  ref?: string;
  error?: string;
  code?: string;
  [key: string]: unknown;
}

/** What was asked for was refused. */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError';

  constructor(
    message: string,
    /** Names the kind of problem, as in `forbidden`. */
    readonly code: string,
  ) {
    super(message);
  }

  static of(frame: Frame): RealtimeError {
    return new RealtimeError(frame.error ?? 'refused', frame.code ?? 'unknown');
  }
}
