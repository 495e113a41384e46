/** A write that the server has not confirmed. */
export interface QueuedWrite {
  /** Position in the queue; given by the store. */
  position: number;
  /** The user who made the write. */
  user: string;
  operation: 'create' | 'update' | 'delete';
  collection: string;
  /** The record's id; of a create, its key until the record has an id. */
  id: string;
  data: Record<string, unknown>;
  /** When the write was made, as an ISO time. */
  madeAt: string;
}

/** Where the queue is kept. All tabs of an origin use one queue. */
export interface QueueStore {
  /** Adds a write behind all others and returns its position. */
  add(write: Omit<QueuedWrite, 'position'>): Promise<number>;
  /** All writes, in the order in which they were added. */
  all(): Promise<QueuedWrite[]>;
  put(write: QueuedWrite): Promise<unknown>;
  remove(position: number): Promise<unknown>;
}

/** Keeps the queue in IndexedDB. */
export function indexedDbStore(name: string): QueueStore {
  const database = request(() => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('writes', { keyPath: 'position', autoIncrement: true });
    return opening;
  });
  const run = async <T>(mode: IDBTransactionMode, action: (store: IDBObjectStore) => IDBRequest): Promise<T> => {
    const transaction = (await database).transaction('writes', mode);
    const complete = new Promise((done, failed) => {
      transaction.oncomplete = done;
      transaction.onabort = () => failed(transaction.error);
    });
    const result = await request(() => action(transaction.objectStore('writes')));
    await complete;
    return result as T;
  };
  return {
    add: (write) => run('readwrite', (store) => store.add(write)),
    all: () => run('readonly', (store) => store.getAll()),
    put: (write) => run('readwrite', (store) => store.put(write)),
    remove: (position) => run('readwrite', (store) => store.delete(position)),
  };
}

function request<T>(start: () => IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    const pending = start();
    pending.onsuccess = () => done(pending.result);
    pending.onerror = () => failed(pending.error);
  });
}

/** Keeps the queue in memory, for runtimes without IndexedDB. */
export function memoryStore(): QueueStore {
  const writes = new Map<number, QueuedWrite>();
  let last = 0;
  return {
    async add(write) {
      last += 1;
      writes.set(last, { ...write, position: last });
      return last;
    },
    all: async () => [...writes.values()],
    put: async (write) => writes.set(write.position, write),
    remove: async (position) => writes.delete(position),
  };
}
