// Data of every kind for the pictures: short, long, much, little.
const TITLES = ['On sour dough', 'A week without plans', 'Notes on the Engine', 'The quiet release', 'How we moved house'];

/** As long as names get in German offices, and longer than any column. */
export const LONG = 'rechnungspruefungsausschuss_mitgliederverzeichnis';
const SENTENCE = 'Überweisungsauftragsformularausfüllhilfe für die stellvertretende Rechnungsprüfungsausschussvorsitzende in Donaueschingen';

const field = (name, type, more = {}) => ({ name, type, ...more });

async function people(api) {
  const account = await api.post('/accounts', { name: 'Bäckereifachgeschäftsgenossenschaft Obertürkheim eingetragene Genossenschaft', slug: 'baeckereigenossenschaft' });
  const role = await api.post('/roles', { name: 'abteilungsleitungsstellvertretung', description: SENTENCE });
  const { items: roles } = await api.get('/roles');
  const plain = roles.find(({ name }) => name === 'user').id;
  const users = [];
  for (const email of ['ada@example.com', 'grace.hopper@example.com', 'rechnungspruefungsausschussvorsitzende@donaudampfschifffahrt.example.com']) {
    users.push(await api.post('/users', { account_id: account.id, email, password: 'Correct-Horse-7', role_id: email.startsWith('rech') ? role.id : plain }));
  }
  await api.patch(`/users/${users[0].id}`, { is_active: false });
  const group = await api.post('/groups', { account_id: account.id, name: 'nachtschichtvertretungsplanung', description: SENTENCE });
  await api.post(`/groups/${group.id}/users`, { user_id: users[1].id });
  await api.post('/invitations', { email: 'neue.mitarbeiterin@donaudampfschifffahrtsgesellschaft.example.com', account_id: account.id });
  await api.post('/admin/api-keys', { name: 'Nächtlicher Rechnungsabgleich mit der Finanzbuchhaltung', scopes: ['records:read'], account_id: account.id });
  return { account, users, group };
}

async function collections(api) {
  await api.post('/collections', {
    name: 'authors',
    fields: [field('name', 'text', { required: true, searchable: true }), field('email', 'email', { unique: true, pii: true, mask_type: 'email' })],
  });
  await api.post('/collections', {
    name: 'posts',
    fields: [
      field('title', 'text', { required: true, index: true }),
      field('status', 'text', { default: 'draft', options: { enum: ['draft', 'review', 'published'] } }),
      field('views', 'number', { default: 0, options: { min: 0 } }),
      field('published', 'boolean'),
      field('happens_at', 'datetime'),
      field('author', 'reference', { collection: 'authors', on_delete: 'set_null' }),
      field('meta', 'json'),
      field('secret', 'text', { encrypted: true }),
    ],
  });
  await api.post('/collections', { name: 'comments', fields: [field('body', 'text')], list_rule: '' });
  await api.post('/collections', {
    name: LONG,
    fields: [
      field('bezeichnung_der_dienststelle', 'text', { required: true, unique: true, options: { max_length: 400 } }),
      field('zustaendige_sachbearbeiterin', 'reference', { collection: 'authors', on_delete: 'restrict' }),
      field('bearbeitungsstand', 'text', { index: true, pii: true, searchable: true, default: 'eingegangen', options: { enum: ['eingegangen', 'in Bearbeitung', 'abgeschlossen'] } }),
      field('wiedervorlagedatum', 'date'),
      field('gesamtkosten_in_euro', 'number'),
    ],
    list_rule: "bezeichnung_der_dienststelle ~ '%prüfung%' || (created_by = @request.auth.id && @has_role('abteilungsleitungsstellvertretung'))",
  });
  await api.put('/collections/posts/rules', {
    list_rule: 'published = true || created_by = @request.auth.id',
    view_rule: '',
    create_rule: "@request.auth.role = 'admin'",
    update_fields: '["title","views"]',
  });
}

function post(index, authors) {
  return {
    title: `${TITLES[index % TITLES.length]}${index > 4 ? `, part ${index}` : ''}`,
    status: ['draft', 'review', 'published'][index % 3],
    views: index * index * 7,
    published: index % 3 === 0 ? null : index % 2 === 0,
    happens_at: new Date(Date.UTC(2026, 0, 1 + index, 9, 30)).toISOString(),
    author: authors[index % 3].id,
    meta: index % 4 === 0 ? { tags: ['bread', 'home'], pages: index } : null,
    secret: index % 5 === 0 ? 'under the mat' : null,
  };
}

export async function seedPictures(api) {
  await collections(api);
  const authors = [];
  for (const name of ['Ada Lovelace', 'Grace Hopper', 'Karoline Freifrau von Droste-Hülshoff-Rechnungsprüfung']) {
    authors.push(await api.post('/records/authors', { name, email: `${name.split(' ')[0].toLowerCase()}@example.com` }));
  }
  for (let index = 0; index < 64; index += 1) await api.post('/records/posts', post(index, authors));
  for (let index = 0; index < 12; index += 1) {
    await api.post(`/records/${LONG}`, {
      bezeichnung_der_dienststelle: `${SENTENCE} ${index}`,
      zustaendige_sachbearbeiterin: authors[2].id,
      wiedervorlagedatum: '2026-05-01',
      gesamtkosten_in_euro: 12_345_678.9 * index,
    });
  }
  await api.post('/macros', { name: 'veroeffentlichungen_der_autorin', parameters: ['author'], sql_query: 'SELECT COUNT(*) FROM posts WHERE author = :author AND published = true', description: SENTENCE });
  const { items } = await api.get('/records/posts?limit=1');
  await api.patch(`/records/posts/${items[0].id}`, { title: 'Notes on the Engine, second edition', views: 12 });
  const long = await api.get(`/records/${LONG}?limit=1`);
  return { record: items[0].id, longRecord: long.items[0].id, ...(await people(api)) };
}
