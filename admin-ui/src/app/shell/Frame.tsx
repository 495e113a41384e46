import { AppShell } from '@mantine/core';
import { useDisclosure, useHotkeys, useLocalStorage } from '@mantine/hooks';
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo } from 'react';
import { useSession } from '@/api/session';
import { SignInAgainDialog } from '@/features/session/SignInAgainDialog';
import { useKeepFocus } from '@/ui/keep-focus';
import { NavToggle } from '@/ui/nav-toggle';
import { undoLatest } from '@/ui/toast';
import { Sidebar } from './Sidebar';

const Palette = lazy(() => import('@/features/palette/Palette').then((module) => ({ default: module.Palette })));

export function Frame() {
  const { session, expired } = useSession();
  const [opened, nav] = useDisclosure(false);
  const [collapsed, setCollapsed] = useLocalStorage({ key: 'snackbase.sidebar.collapsed', defaultValue: false, getInitialValueInEffect: false });
  const [searching, palette] = useDisclosure(false);
  // Also while typing: nothing else answers to this key.
  useHotkeys([['mod+K', palette.toggle]], []);
  useHotkeys([['mod+Z', undoLatest]]);
  useKeepFocus();
  const { pathname } = useLocation();
  const { toggle, close } = nav;
  const toggler = useMemo(() => ({ opened, toggle }), [opened, toggle]);
  const navigate = useNavigate();
  useEffect(close, [pathname, close]);
  const signedOut = session === null;
  useEffect(() => {
    if (signedOut) void navigate({ to: '/login', ignoreBlocker: true });
  }, [signedOut, navigate]);
  if (signedOut) return null;
  return (
    <NavToggle value={toggler}>
      <a href="#main" className="sb-skip">
        Skip to the content
      </a>
      <AppShell navbar={{ width: collapsed ? 53 : 216, breakpoint: 'sm', collapsed: { mobile: !opened } }} transitionDuration={0}>
        <AppShell.Navbar bg="var(--sb-surface)" style={{ borderColor: 'var(--sb-border)', zIndex: 95 }}>
          <Sidebar collapsed={collapsed && !opened} onCollapse={() => setCollapsed(!collapsed)} onClose={close} onSearch={palette.open} />
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1} style={{ outline: 'none' }}>
          <Outlet />
        </AppShell.Main>
      </AppShell>
      <Suspense>{searching && !expired && <Palette onClose={palette.close} />}</Suspense>
      {expired && <SignInAgainDialog email={session.email} />}
    </NavToggle>
  );
}
