import { describe, expect, it } from 'vitest';
import { checkPassword } from './password-policy';

const missing = (password: string) => checkPassword(password).filter((item) => !item.met).length;

describe('checkPassword', () => {
  it('accepts what the server accepts', () => {
    expect(missing('ValidPass123!')).toBe(0);
  });
  it('does not count a space as a symbol', () => {
    expect(missing('Valid Pass 123')).toBe(1);
  });
  it('names everything that is missing', () => {
    expect(missing('short')).toBe(4);
  });
});
