/** Who a rule is tried for, and what needs no trying. */

/** As typed: the groups are separated by commas. */
export interface Person {
  id: string;
  email: string;
  role: string;
  account_id: string;
  groups: string;
}

export function callerOf(person: Person) {
  const groups = person.groups.split(',').map((group) => group.trim()).filter(Boolean);
  return { ...person, groups };
}

/** A rule without an expression is the same for everyone. */
export function verdictOf(rule: string | null): { allowed: boolean; why: string } | null {
  if (rule === null) return { allowed: false, why: 'The rule is locked: nobody but superadmins.' };
  if (rule === '') return { allowed: true, why: 'The rule is public: everyone in the account of the record.' };
  return null;
}
