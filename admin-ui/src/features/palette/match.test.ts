import { describe, expect, it } from 'vitest';
import { score } from './match';

describe('score', () => {
  it('puts better matches first', () => {
    const names = ['posts', 'blog_posts', 'outposts', 'post', 'people of stone', 'users'];
    const ranked = names
      .map((name) => ({ name, points: score('post', name) }))
      .filter((entry) => entry.points > 0)
      .sort((a, b) => b.points - a.points);
    expect(ranked.map((entry) => entry.name)).toEqual(['post', 'posts', 'blog_posts', 'outposts', 'people of stone']);
  });
  it('takes several words in any order', () => {
    expect(score('rules posts', 'posts: Rules')).toBeGreaterThan(0);
    expect(score('zz', 'posts')).toBe(0);
  });
});
