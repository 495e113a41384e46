// A large instance: many collections, and one with many records.

const COLLECTIONS = 50;
const RECORDS = 100_000;
const BATCH = 100;

const WORDS = ['Rechnungsprüfungsausschussvorsitzende', 'bread', 'release', 'Überweisungsauftragsformular', 'notes', 'house'];

function item(number) {
  return {
    title: `Item ${String(number).padStart(6, '0')} ${WORDS[number % WORDS.length]}`,
    amount: (number * 7919) % 10_007,
    done: number % 3 === 0,
    due: `2026-${String((number % 12) + 1).padStart(2, '0')}-15`,
    note: number % 5 === 0 ? null : `Note ${number}`,
  };
}

export async function seedLarge(api, { collections = COLLECTIONS, records = RECORDS } = {}) {
  const fields = [
    { name: 'title', type: 'text', required: true },
    { name: 'amount', type: 'number' },
    { name: 'done', type: 'boolean' },
    { name: 'due', type: 'date' },
    { name: 'note', type: 'text' },
  ];
  await api.post('/collections', { name: 'items', fields });
  for (let index = 1; index < collections; index += 1) {
    await api.post('/collections', { name: `collection_${String(index).padStart(2, '0')}`, fields: fields.slice(0, 2) });
  }
  let next = 0;
  const work = async () => {
    while (next < records) {
      const start = next;
      next += BATCH;
      const rows = Array.from({ length: Math.min(BATCH, records - start) }, (_, index) => item(start + index));
      await api.post('/records/items/batch', { records: rows });
    }
  };
  await Promise.all(Array.from({ length: 6 }, work));
}
