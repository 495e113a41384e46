export { LiveQuery, type LiveQueryOptions } from './live-query.js';
export {
  RealtimeError,
  type DeleteEvent,
  type Operation,
  type PutEvent,
  type RecordEvent,
  type ResyncReason,
  type SubscribeOptions,
  type SystemFields,
} from './protocol.js';
export { RealtimeClient, type RealtimeClientOptions } from './client.js';
export { Room, type Member, type RoomHandlers, type RoomMessage, type RoomOptions } from './room.js';
export type { ConnectionState, TokenSource, WebSocketClass } from './socket.js';
export { Subscription, type SubscriptionHandlers } from './subscription.js';
