export { LiveQuery } from './live-query.js';
export { RealtimeError, } from './protocol.js';
export { RealtimeClient } from './client.js';
export { Room } from './room.js';
export { Subscription } from './subscription.js';
