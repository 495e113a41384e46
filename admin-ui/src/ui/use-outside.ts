import { useState } from 'react';

/**
 * A text that is typed here and also changes from outside, by the address for example. What comes back of the
 * typing itself does not count as a change: by then more may have been typed.
 */
export function useOutside(value: string): [string, (text: string) => void] {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [typed, setTyped] = useState<readonly string[]>([value]);
  if (value !== seen) {
    setSeen(value);
    if (typed.includes(value)) setTyped([value, text]);
    else {
      setText(value);
      setTyped([value]);
    }
  }
  return [
    text,
    (next) => {
      setText(next);
      setTyped([...typed.slice(-20), next]);
    },
  ];
}
