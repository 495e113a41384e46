import { createContext, useContext } from 'react';

/** Lets the page header open the sidebar on narrow windows without knowing the frame. */
export const NavToggle = createContext({ opened: false, toggle: (): void => undefined });

export function useNavToggle() {
  return useContext(NavToggle);
}
