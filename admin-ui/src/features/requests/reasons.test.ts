import { describe, expect, it } from 'vitest';
import { isFromUi } from './queries';
import { reasonFor } from './reasons';

describe('reasonFor', () => {
  it('tells a missing route from a missing record', () => {
    expect(reasonFor({ status: 404, path: 'unmatched' })?.title).toBe('No such route');
    expect(reasonFor({ status: 404, path: '/api/v1/records/{collection}/{id}' })?.title).toBe('Not found');
  });
  it('has something to say of every refusal and failure, and nothing of success', () => {
    for (const status of [400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 502, 503]) expect(reasonFor({ status, path: '/' }), String(status)).not.toBeNull();
    expect(reasonFor({ status: 200, path: '/' })).toBeNull();
  });
});

describe('isFromUi', () => {
  it('goes by the correlation id that this UI sends', () => {
    expect(isFromUi({ correlation_id: 'ui-0011223344556677' })).toBe(true);
    expect(isFromUi({ correlation_id: 'cid_0011' })).toBe(false);
  });
});
