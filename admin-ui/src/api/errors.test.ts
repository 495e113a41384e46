import { describe, expect, it } from 'vitest';
import { ApiError, fieldMessage, parseError } from './errors';

describe('parseError', () => {
  it('takes the message and the fields with their paths', () => {
    const error = parseError(
      400,
      {
        error: 'Validation error',
        message: 'Two problems.',
        detail: 'Two problems.',
        details: [
          { field: 'schema[0].name', message: 'Reserved.', code: 'field_name_reserved' },
          { field: 'schema[0].name', message: 'Too short.', code: 'x' },
        ],
        errors: { schema: ['coarser'] },
      },
      'cid_1',
    );
    expect(error).toMatchObject({ status: 400, message: 'Two problems.', label: 'Validation error', correlationId: 'cid_1' });
    expect(error.fields).toEqual({ 'schema[0].name': ['Reserved.', 'Too short.'] });
  });
  it('reads a list in detail', () => {
    const error = parseError(422, { message: 'Invalid.', detail: [{ loc: ['body', 'email'], msg: 'Field required' }] }, null);
    expect(error.fields).toEqual({ email: ['Field required'] });
  });
  it('uses the errors map and a single field', () => {
    expect(parseError(422, { message: 'm', errors: { name: ['bad'] } }, null).fields).toEqual({ name: ['bad'] });
    expect(parseError(409, { message: 'Taken.', field: 'slug' }, null).fields).toEqual({ slug: ['Taken.'] });
  });
  it('survives bodies that are not ours', () => {
    expect(parseError(502, '<html>', null).message).toBe('<html>');
    expect(parseError(500, undefined, null).message).toBe('The server answered 500.');
    expect(parseError(404, { detail: 'Not Found' }, null).message).toBe('Not Found');
  });
});

describe('fieldMessage', () => {
  it('joins the messages of one field', () => {
    const error = new ApiError({ status: 400, message: 'm', fields: { a: ['x.', 'y.'] } });
    expect(fieldMessage(error, 'a')).toBe('x. y.');
    expect(fieldMessage(error, 'b')).toBeUndefined();
    expect(fieldMessage(new ApiError({ status: 400, message: 'm', fields: { a: ['too short', 'no digit'] } }), 'a')).toBe('too short. no digit.');
    expect(fieldMessage(new ApiError({ status: 400, message: 'm', fields: { a: ['taken'] } }), 'a')).toBe('taken');
    expect(fieldMessage(new Error('z'), 'a')).toBeUndefined();
  });
});
