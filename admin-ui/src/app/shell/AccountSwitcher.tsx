import { Combobox, Tooltip, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBuilding, IconCheck, IconSelector } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery } from '@/features/accounts/queries';
import { useAccountName, useAccountScope, useSetAccountScope } from '@/features/accounts/scope';
import classes from './Sidebar.module.css';

/** More accounts are found by typing. */
const MAX_OFFERED = 12;
const ALL = 'all';

/** Narrows every page that shows the data of accounts to one of them. */
export function AccountSwitcher({ collapsed }: { collapsed: boolean }) {
  const scope = useAccountScope();
  const name = useAccountName(scope);
  const setScope = useSetAccountScope();
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search.trim(), 200);
  const box = useCombobox({
    onDropdownOpen: () => box.focusSearchInput(),
    onDropdownClose: () => {
      box.resetSelectedOption();
      setSearch('');
    },
  });
  const accounts = useQuery({
    ...accountsQuery({ search: settled || undefined, page: 1, page_size: MAX_OFFERED, sort_by: 'name', sort_order: 'asc' }),
    enabled: box.dropdownOpened,
  });
  const label = scope === undefined ? 'All accounts' : (name ?? 'One account');
  return (
    <Combobox
      store={box}
      width={260}
      position="bottom-start"
      onOptionSubmit={(id) => {
        setScope(id === ALL ? undefined : id);
        box.closeDropdown();
      }}
    >
      <Combobox.Target targetType="button">
        <Tooltip label={`Account: ${label}`} position="right" disabled={!collapsed} openDelay={0}>
          <button type="button" className={classes.switcher} data-narrowed={scope !== undefined || undefined} aria-label={`Account: ${label}`} onClick={() => box.toggleDropdown()}>
            <IconBuilding size={16} stroke={1.6} aria-hidden />
            {!collapsed && (
              <>
                <span className="ellipsis">{label}</span>
                <IconSelector size={14} stroke={1.6} aria-hidden />
              </>
            )}
          </button>
        </Tooltip>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search aria-label="Search accounts" placeholder="Search accounts" value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
        <Combobox.Options aria-label="Accounts" mah={360} style={{ overflowY: 'auto' }}>
          {settled === '' && <Choice id={ALL} label="All accounts" chosen={scope === undefined} />}
          {accounts.data?.items.map(({ id, name: text, account_code }) => (
            <Choice key={id} id={id} label={text} code={account_code} chosen={id === scope} />
          ))}
          {accounts.data?.items.length === 0 && <Combobox.Empty>No matching account</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function Choice({ id, label, code, chosen }: { id: string; label: string; code?: string; chosen: boolean }) {
  return (
    <Combobox.Option value={id} active={chosen} className={classes.choice}>
      <span className="ellipsis">{label}</span>
      {code && <span className={classes.code}>{code}</span>}
      {chosen && <IconCheck size={14} aria-hidden />}
    </Combobox.Option>
  );
}
