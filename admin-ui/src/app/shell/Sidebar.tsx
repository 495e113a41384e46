import { ActionIcon, CloseButton, Tooltip } from '@mantine/core';
import {
  IconActivity,
  IconDatabase,
  IconLayoutDashboard,
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { AccountMenu } from './AccountMenu';
import { Logo } from './Logo';
import classes from './Sidebar.module.css';

const LINKS = [
  { to: '/', label: 'Overview', icon: IconLayoutDashboard, exact: true },
  { to: '/collections', label: 'Collections', icon: IconDatabase, exact: false },
  { to: '/live', label: 'Live', icon: IconActivity, exact: false },
] as const;

interface Props {
  collapsed: boolean;
  onCollapse: () => void;
  onClose: () => void;
}

export function Sidebar({ collapsed, onCollapse, onClose }: Props) {
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
      <nav className={classes.links} aria-label="Main">
        {LINKS.map(({ to, label, icon: Icon, exact }) => (
          <Tooltip key={to} label={label} position="right" disabled={!collapsed} openDelay={0}>
            <Link to={to} activeOptions={{ exact, includeSearch: false }} className={classes.link} aria-label={label}>
              <Icon size={18} stroke={1.6} aria-hidden />
              {!collapsed && <span>{label}</span>}
            </Link>
          </Tooltip>
        ))}
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
