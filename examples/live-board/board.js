// A board of notes that everybody in the account sees change. All of the realtime is in `show` and `join`.

const COLORS = ['#ffe08a', '#ffb3ba', '#bae1ff', '#baffc9'];
const signIn = document.querySelector('#sign-in');
const notes = document.querySelector('#notes');

signIn.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { url, ...credentials } = Object.fromEntries(new FormData(signIn));
  try {
    // The server has the client as one file.
    const { SnackBase } = await import(new URL('/sdk/snackbase.js', url));
    const client = new SnackBase(url);
    await client.auth.signIn(credentials);
    start(client);
  } catch (error) {
    signIn.querySelector('[role=alert]').textContent = error.message;
  }
});

function start(client) {
  signIn.hidden = true;
  document.querySelector('#board').hidden = false;
  const board = client.collection('board_notes');
  client.realtime.onState((state) => {
    document.querySelector('#state').textContent = state === 'open' ? '● live' : '○ offline';
  });
  client.auth.onChange((_user, event) => event === 'expired' && location.reload());
  show(board);
  join(client);
  document.querySelector('#add').addEventListener('click', () => {
    const color = COLORS[Math.floor(Math.random() * COLORS.length)];
    void tell(board.create({ text: '', x: Math.random() * 0.7, y: Math.random() * 0.7, color }));
  });
}

/** Shows the error of a write. */
const tell = (write) => write.catch((error) => alert(error.message));

/** Shows the notes, now and whenever anybody changes one. */
function show(board) {
  const query = board.live({ sort: 'created_at' });
  query.ready.catch((error) => alert(`${error.message}. Was setup.sh run?`));
  const elements = new Map();
  query.subscribe((items) => {
    for (const note of items) {
      const element = elements.get(note.id) ?? noteElement(note.id, board);
      elements.set(note.id, element);
      element.style.left = `${note.x * 100}%`;
      element.style.top = `${note.y * 100}%`;
      element.style.background = note.color;
      const text = element.querySelector('p');
      if (text !== document.activeElement) text.textContent = note.text;
    }
    const shown = new Set(items.map((note) => note.id));
    for (const [id, element] of elements) {
      if (shown.has(id)) continue;
      element.remove();
      elements.delete(id);
    }
  });
}

/** Shows who is here. */
function join(client) {
  client.room('board:main', {
    presence: { email: client.auth.user.email },
    members: (members) => {
      const names = new Set(members.map((member) => member.meta?.email));
      document.querySelector('#people').textContent = `Here: ${[...names].join(', ')}`;
    },
  });
}

function noteElement(id, board) {
  const element = document.createElement('div');
  element.className = 'note';
  const remove = document.createElement('button');
  remove.textContent = '×';
  remove.ariaLabel = 'Remove';
  remove.addEventListener('click', () => tell(board.delete(id)));
  const text = document.createElement('p');
  let written = '';
  element.append(remove, text);
  element.addEventListener('dblclick', () => {
    written = text.textContent;
    text.contentEditable = 'plaintext-only';
    text.focus();
  });
  text.addEventListener('blur', () => {
    text.contentEditable = 'false';
    if (text.textContent !== written) void tell(board.update(id, { text: text.textContent }));
  });
  drag(element, (x, y) => tell(board.update(id, { x, y })));
  notes.append(element);
  return element;
}

function drag(element, dropped) {
  element.addEventListener('pointerdown', (down) => {
    if (down.target.closest('button') || element.contains(document.activeElement)) return;
    element.setPointerCapture(down.pointerId);
    const box = element.getBoundingClientRect();
    const board = notes.getBoundingClientRect();
    let place;
    const move = (event) => {
      const x = (event.clientX - down.clientX + box.left - board.left) / board.width;
      const y = (event.clientY - down.clientY + box.top - board.top) / board.height;
      place = [clamp(x), clamp(y)];
      element.style.left = `${place[0] * 100}%`;
      element.style.top = `${place[1] * 100}%`;
    };
    element.addEventListener('pointermove', move);
    const end = () => {
      element.removeEventListener('pointermove', move);
      if (place) void dropped(...place);
    };
    element.addEventListener('lostpointercapture', end, { once: true });
  });
}

const clamp = (value) => Math.min(0.95, Math.max(0, value));
