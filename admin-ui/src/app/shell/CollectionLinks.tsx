import { ActionIcon, CloseButton, Tooltip } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { collectionNamesQuery } from '@/features/collections/queries';
import classes from './Sidebar.module.css';

/** From here on a box to narrow them down helps more than it costs. */
const MANY = 8;

/** Every collection, one step away. */
export function CollectionLinks() {
  const names = useQuery(collectionNamesQuery).data?.names ?? [];
  const [text, setText] = useState('');
  const shown = names.filter((name) => name.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <div className={classes.group}>
      <div className={classes.groupLabel}>
        <span>Records</span>
        <Tooltip label="Create collection">
          <ActionIcon size={22} aria-label="Create a collection" renderRoot={(props) => <Link to="/collections/new" {...props} />}>
            <IconPlus size={14} />
          </ActionIcon>
        </Tooltip>
      </div>
      {names.length > MANY && (
        <div className={classes.narrow}>
          <input
            aria-label="Narrow the collections down"
            placeholder={`${names.length} collections`}
            autoComplete="off"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          {text !== '' && <CloseButton size="xs" aria-label="Show all collections" onClick={() => setText('')} />}
        </div>
      )}
      {shown.map((name) => (
        <Link key={name} to="/collections/$name/records" params={{ name }} className={classes.collection} activeOptions={{ includeSearch: false }} title={name}>
          {name}
        </Link>
      ))}
      {names.length > 0 && shown.length === 0 && <div className={classes.none}>None with “{text}”</div>}
    </div>
  );
}
