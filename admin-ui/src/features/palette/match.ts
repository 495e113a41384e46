/** How well a name answers to what was typed: whole beginnings, then words, then letters in their order. */
export function score(typed: string, name: string): number {
  const wanted = typed.trim().toLowerCase();
  const text = name.toLowerCase();
  if (wanted === '') return 1;
  if (text === wanted) return 100;
  if (text.startsWith(wanted)) return 80;
  const word = text.split(/[\s_/:-]+/).some((part) => part.startsWith(wanted));
  if (word) return 60;
  if (text.includes(wanted)) return 40;
  // Every word that was typed, wherever it stands.
  const parts = wanted.split(/\s+/);
  if (parts.length > 1 && parts.every((part) => text.includes(part))) return 30;
  let at = 0;
  for (const letter of wanted.replaceAll(/\s/g, '')) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return 0;
  }
  return 10;
}
