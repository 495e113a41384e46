#!/usr/bin/env bash
# TanStack DB: leaving out the options of subscribeChanges is not the same as giving their defaults.
#
# Versions: @tanstack/db 0.15.2 (npm), Node.js 20.20.2; seen on 2026-11-30.
#
# A collection has two rows before anybody subscribes. Then row 1 is deleted, row 2 is updated and deleted, and row 3 is
# inserted and deleted. What the callback is told:
#   * options left out: `insert 2, delete 2, insert 3, delete 3`. The deletion of a row that was there before is swallowed,
#     and the first update of such a row comes as an insert.
#   * { includeInitialState: false }: `delete 1, update 2, delete 2, insert 3, delete 3`.
# One would guess that both are "from now on, every change": false is what the option seems to default to. Code that keeps
# a copy of its own beside the collection so never learns of deletions. Say what is meant, either way.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @tanstack/db@0.15.2
cat >subscribe.mjs <<'JS'
import { createCollection, localOnlyCollectionOptions } from '@tanstack/db';

for (const options of [undefined, { includeInitialState: false }, { includeInitialState: true }]) {
  const initialData = [{ id: 1, name: 'one' }, { id: 2, name: 'two' }];
  const id = JSON.stringify(options) ?? 'left out';
  const rows = createCollection(localOnlyCollectionOptions({ id, getKey: (row) => row.id, initialData }));
  await rows.preload();
  const told = [];
  rows.subscribeChanges((changes) => told.push(...changes.map(({ type, key }) => `${type} ${key}`)), options);
  await rows.delete(1).isPersisted.promise;
  await rows.update(2, (draft) => { draft.name = 'changed'; }).isPersisted.promise;
  await rows.delete(2).isPersisted.promise;
  await rows.insert({ id: 3, name: 'three' }).isPersisted.promise;
  await rows.delete(3).isPersisted.promise;
  console.log(`${id}: ${told.join(', ')}`);
}
process.exit();
JS
node subscribe.mjs | tee seen
diff seen - <<'SEEN' && echo 'as before'
left out: insert 2, delete 2, insert 3, delete 3
{"includeInitialState":false}: delete 1, update 2, delete 2, insert 3, delete 3
{"includeInitialState":true}: insert 1, insert 2, delete 1, update 2, delete 2, insert 3, delete 3
SEEN
