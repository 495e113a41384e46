export interface PolicyItem {
  label: string;
  met: boolean;
}

/** The server decides; this only shows how far one is while typing. */
export function checkPassword(password: string): PolicyItem[] {
  return [
    { label: '12 characters or more', met: Array.from(password).length >= 12 },
    { label: 'an upper-case letter', met: /[A-Z]/.test(password) },
    { label: 'a lower-case letter', met: /[a-z]/.test(password) },
    { label: 'a digit', met: /[0-9]/.test(password) },
    { label: 'a symbol, such as ! # $ % & -', met: /[!@#$%^&*()_+\-=[\]{};':"\\|,.<>/?`~]/.test(password) },
  ];
}
