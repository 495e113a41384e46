import { describe, expect, it } from 'vitest';
import { keptKey } from '@/features/collections/kept';
import { filterAfter, followRenames } from './follow-renames';

const renames = { views: 'readers', title: 'heading' };

describe('a field with another name', () => {
  it('is followed by filters, but not by what only looks like it', () => {
    expect(filterAfter("views > 1 && author.views = 2 && title ~ 'views' || meta.title = @request.auth.title", renames)).toBe(
      "readers > 1 && author.views = 2 && heading ~ 'views' || meta.title = @request.auth.title",
    );
    expect(filterAfter('constructor = 1', renames)).toBe('constructor = 1');
  });
  it('is followed by columns and saved views', () => {
    const layout = { shown: ['id', 'views'], pinned: ['views'], widths: { views: 90, id: 80 } };
    const kept = new Map([
      [keptKey('grid', 'posts'), JSON.stringify(layout)],
      [keptKey('views', 'posts'), JSON.stringify([{ name: 'Much read', sort: '-views,title', filter: 'views > 9', search: 'views', layout }])],
      [keptKey('grid', 'others'), JSON.stringify(layout)],
    ]);
    followRenames('posts', renames, { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) });
    const after = { shown: ['id', 'readers'], pinned: ['readers'], widths: { readers: 90, id: 80 } };
    expect(JSON.parse(kept.get(keptKey('grid', 'posts')) ?? '')).toEqual(after);
    expect(JSON.parse(kept.get(keptKey('views', 'posts')) ?? '')).toEqual([
      { name: 'Much read', sort: '-readers,heading', filter: 'readers > 9', search: 'views', layout: after },
    ]);
    expect(JSON.parse(kept.get(keptKey('grid', 'others')) ?? '')).toEqual(layout);
  });
});
