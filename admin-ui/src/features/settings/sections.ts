import type { Setting } from '@/api/types';

/** Settings whose name, variable or description has the words, wherever they come from or only where somebody set them. */
export function matching(settings: Setting[], search: string, onlyChanged: boolean): Setting[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter(({ key, variable, description, origin }) => {
    const text = `${key} ${variable ?? ''} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word)) && (!onlyChanged || origin !== 'default');
  });
}

/** The settings by the section of the file, in its order. */
export function bySection(settings: Setting[]): [string, Setting[]][] {
  const sections = new Map<string, Setting[]>();
  for (const setting of settings) {
    const name = setting.key.split('.')[0] ?? '';
    sections.set(name, [...(sections.get(name) ?? []), setting]);
  }
  return [...sections];
}
