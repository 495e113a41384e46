import { expect, test } from 'vitest';
import type { Setting } from '@/api/types';
import { bySection, matching } from './sections';

const setting = (key: string, description: string, origin: Setting['origin']): Setting => ({ key, description, origin, value: '1', default: '0', variable: null });
const settings = [
  setting('server.port', '0 for any free port', 'file'),
  setting('auth.link_seconds', 'links in mails', 'default'),
  setting('server.host', '', 'default'),
];

test('all words have to be there, in any part and any order', () => {
  expect(matching(settings, 'free PORT', false).map((found) => found.key)).toEqual(['server.port']);
  expect(matching(settings, 'mails auth', false).map((found) => found.key)).toEqual(['auth.link_seconds']);
  expect(matching(settings, 'nothing', false)).toEqual([]);
});

test('what nobody set can be left out', () => {
  expect(matching(settings, '', true).map((found) => found.key)).toEqual(['server.port']);
});

test('sections keep the order of the file', () => {
  expect(bySection(settings).map(([name, items]) => [name, items.length])).toEqual([
    ['server', 2],
    ['auth', 1],
  ]);
});
