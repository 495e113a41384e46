/** What a field can demand of its values besides the type, as it is typed and as it is sent. */

export const OPTION_KEYS = ['min', 'max', 'min_length', 'max_length', 'pattern', 'enum'] as const;
export type OptionKey = (typeof OPTION_KEYS)[number];
/** An empty or absent text sets nothing. */
export type OptionTexts = Partial<Record<OptionKey, string>>;

export const OPTION_LABELS: Record<OptionKey, string> = {
  min: 'Min',
  max: 'Max',
  min_length: 'Min length',
  max_length: 'Max length',
  pattern: 'Pattern',
  enum: 'Allowed values',
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function optionTexts(options: unknown): OptionTexts {
  if (Array.isArray(options)) return { enum: options.map(String).join(', ') };
  if (!isRecord(options)) return {};
  const known = OPTION_KEYS.filter((key) => options[key] !== undefined && options[key] !== null);
  return Object.fromEntries(
    known.map((key) => {
      const value = options[key];
      if (Array.isArray(value)) return [key, value.map(String).join(', ')];
      return [key, typeof value === 'string' ? value : JSON.stringify(value)];
    }),
  );
}

/** Numbers are sent as such; any other text passes for the server to judge. */
export function numeric(text: string): unknown {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text;
}

/** What the type of the field knows about its options. */
interface OptionRules {
  optionKeys: readonly OptionKey[];
  optionValue: (text: string) => unknown;
}

function valueOf({ optionValue }: OptionRules, key: OptionKey, text: string): unknown {
  switch (key) {
    case 'pattern':
      return text;
    case 'enum':
      return text.split(',').map((part) => part.trim()).filter((part) => part !== '').map(optionValue);
    case 'min_length':
    case 'max_length':
      return numeric(text);
    default:
      return optionValue(text.trim());
  }
}

/** The options to send: keys that this editor does not know stay as they are stored. */
export function optionsOf(type: OptionRules, texts: OptionTexts, stored: unknown): Record<string, unknown> | null {
  const kept = isRecord(stored) ? Object.entries(stored).filter(([key]) => !(OPTION_KEYS as readonly string[]).includes(key)) : [];
  const set = type.optionKeys.flatMap((key) => {
    const text = texts[key] ?? '';
    return text.trim() === '' ? [] : [[key, valueOf(type, key, text)] as const];
  });
  const all = [...kept, ...set];
  return all.length === 0 ? null : Object.fromEntries(all);
}

/** The values to choose from, where a field has a list of them. */
export function choicesOf(options: unknown): string[] | null {
  const list = Array.isArray(options) ? options : isRecord(options) && Array.isArray(options.enum) ? options.enum : null;
  return list && list.length > 0 ? list.map(String) : null;
}
