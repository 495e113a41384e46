/** Connections open with a ticket that is good once: a URL ends up in logs, and the token must not. */
import { API, api } from '@/api/client';
import type { Ticket, TicketRequest } from '@/api/types';

/** `userId`: of a connection with the rights of that user, which superadmins may have. */
export async function fetchTicket(userId?: string): Promise<string> {
  const request: TicketRequest | undefined = userId === undefined ? undefined : { user_id: userId };
  const { ticket } = await api.post<Ticket>('/realtime/ticket', request);
  return ticket;
}

export function socketUrl(ticket: string): string {
  const url = new URL(`${API}/realtime/ws`, window.location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.searchParams.set('ticket', ticket);
  return url.href;
}
