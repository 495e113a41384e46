import { ActionIcon, CloseButton, Tooltip } from '@mantine/core';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand, IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { modKey } from '@/ui/mod-key';
import { AccountMenu } from './AccountMenu';
import { AccountSwitcher } from './AccountSwitcher';
import { CollectionLinks } from './CollectionLinks';
import { Logo } from './Logo';
import { NAV, type NavPage } from './nav';
import classes from './Sidebar.module.css';

interface Props {
  collapsed: boolean;
  onCollapse: () => void;
  onClose: () => void;
  onSearch: () => void;
}

export function Sidebar({ collapsed, onCollapse, onClose, onSearch }: Props) {
  const CollapseIcon = collapsed ? IconLayoutSidebarLeftExpand : IconLayoutSidebarLeftCollapse;
  const collapseLabel = collapsed ? 'Expand sidebar' : 'Collapse sidebar';
  return (
    <div className={classes.root} data-collapsed={collapsed || undefined}>
      <div className={classes.head}>
        <Link to="/" className={classes.brand} aria-label="SnackBase, overview">
          <Logo />
          {!collapsed && <span>SnackBase</span>}
        </Link>
        <CloseButton aria-label="Close navigation" onClick={onClose} hiddenFrom="sm" />
      </div>
      <div className={classes.switchRow}>
        <AccountSwitcher collapsed={collapsed} />
      </div>
      <div className={classes.searchRow}>
        <Tooltip label={`Search (${modKey} K)`} position="right" disabled={!collapsed} openDelay={0}>
          <button type="button" className={classes.search} onClick={onSearch} aria-label={collapsed ? 'Search' : undefined}>
            <IconSearch size={16} stroke={1.6} aria-hidden />
            {!collapsed && (
              <>
                <span>Search</span>
                <kbd>{modKey} K</kbd>
              </>
            )}
          </button>
        </Tooltip>
      </div>
      <nav className={classes.links} aria-label="Main">
        {NAV.map((group) => (
          <div key={group.label ?? ''} className={classes.group}>
            {group.label && !collapsed && <div className={classes.groupLabel}>{group.label}</div>}
            {group.pages.map((page) => (
              <PageLink key={page.to} page={page} collapsed={collapsed} />
            ))}
          </div>
        ))}
        {!collapsed && <CollectionLinks />}
      </nav>
      <div className={classes.foot}>
        <AccountMenu collapsed={collapsed} />
        <Tooltip label={collapseLabel} position="right">
          <ActionIcon aria-label={collapseLabel} onClick={onCollapse} visibleFrom="sm">
            <CollapseIcon size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </div>
    </div>
  );
}

function PageLink({ page: { to, label, icon: Icon, exact = false }, collapsed }: { page: NavPage; collapsed: boolean }) {
  return (
    <Tooltip label={label} position="right" disabled={!collapsed} openDelay={0}>
      <Link to={to} activeOptions={{ exact, includeSearch: false }} className={classes.link} aria-label={label}>
        <Icon size={18} stroke={1.6} aria-hidden />
        {!collapsed && <span className="ellipsis">{label}</span>}
      </Link>
    </Tooltip>
  );
}
