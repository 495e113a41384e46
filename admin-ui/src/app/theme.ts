import {
  ActionIcon,
  Alert,
  Anchor,
  Badge,
  Button,
  Checkbox,
  createTheme,
  type CSSVariablesResolver,
  Drawer,
  Input,
  InputWrapper,
  type MantineColorsTuple,
  Menu,
  Modal,
  Paper,
  SegmentedControl,
  Switch,
  Table,
  Tabs,
  Tooltip,
} from '@mantine/core';

const brand: MantineColorsTuple = [
  '#e9f7f5', '#d3ece9', '#a5d8d2', '#6fc2b8', '#43aea2', '#22988b', '#14857a', '#0f766e', '#0b5f59', '#074943',
];
const gray: MantineColorsTuple = [
  '#f7f8f9', '#f0f2f4', '#e6e9ec', '#d9dde2', '#c5cbd1', '#98a1aa', '#606972', '#464e56', '#2d343b', '#191e23',
];
const dark: MantineColorsTuple = [
  '#e4e7ea', '#c2c8ce', '#a0a8b1', '#8a939c', '#333a42', '#272d33', '#1c2126', '#14181c', '#0f1215', '#0a0c0e',
];

const red: MantineColorsTuple = [
  '#fdf1f0', '#fbdedb', '#f5b5ae', '#f09c93', '#f0857b', '#dd5145', '#cf3a2d', '#b42318', '#96180f', '#7a140c',
];

const FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const MONO = "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace";

const sheet = {
  withinPortal: true,
  closeButtonProps: { 'aria-label': 'Close' },
  overlayProps: { backgroundOpacity: 0.35 },
};

export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: 7,
  autoContrast: false,
  colors: { brand, gray, dark, red },
  fontFamily: FONT,
  fontFamilyMonospace: MONO,
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontSizes: { xs: '0.75rem', sm: '0.875rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.5rem', xl: '2rem' },
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.125rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } },
  },
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', color: 'gray', size: 28 } }),
    Alert: Alert.extend({ defaultProps: { variant: 'light' } }),
    Anchor: Anchor.extend({ defaultProps: { fz: 'sm' } }),
    Badge: Badge.extend({ defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 500 } }),
    Button: Button.extend({ vars: () => ({ root: { '--button-height': '32px', '--button-padding-x': '12px', '--button-fz': '14px' } }) }),
    Checkbox: Checkbox.extend({ defaultProps: { size: 'xs' } }),
    Drawer: Drawer.extend({ defaultProps: { ...sheet, overlayProps: { backgroundOpacity: 0.2 }, position: 'right', size: 560, shadow: 'none' } }),
    Input: Input.extend({ defaultProps: { size: 'sm' }, vars: () => ({ wrapper: { '--input-height': '32px', '--input-fz': '14px' } }) }),
    InputWrapper: InputWrapper.extend({ defaultProps: { size: 'sm' } }),
    Menu: Menu.extend({ defaultProps: { shadow: 'none', withinPortal: true } }),
    Modal: Modal.extend({ defaultProps: { ...sheet, centered: true, shadow: 'none' } }),
    Paper: Paper.extend({ defaultProps: { withBorder: true } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: 'xs' } }),
    Switch: Switch.extend({ defaultProps: { size: 'xs', withThumbIndicator: false } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 0, horizontalSpacing: 12, fz: 'sm' } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false }, styles: { list: { flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }, tab: { paddingInline: 10, flex: 'none' } } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400, withinPortal: true } }),
  },
});

/** The stock greys and reds are too faint for AA on our backgrounds. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: { '--sb-row': '34px', '--sb-bar': '48px' },
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-dimmed': gray[6],
    '--mantine-color-placeholder': '#6b747d',
    '--mantine-color-error': '#b42318',
    '--mantine-color-default-border': gray[3],
    '--sb-surface': gray[0],
    '--sb-border': gray[2],
    '--sb-hover': gray[1],
    '--sb-accent-text': brand[8],
    '--sb-accent-soft': brand[0],
    '--sb-danger-text': '#b3261e',
    '--sb-warning-text': '#8a5200',
    '--sb-flash': '#fdf0b8',
    '--sb-code-variable': '#6b3fa0',
    '--sb-code-keyword': '#1f5fa8',
    '--sb-code-string': '#0b6b3a',
    '--sb-code-number': '#99480a',
    '--mantine-color-red-light': red[0],
    '--mantine-color-orange-light-color': '#93370d',
    '--mantine-color-blue-light-color': '#1a5490',
  },
  dark: {
    '--mantine-color-dimmed': dark[2],
    '--mantine-color-placeholder': dark[3],
    '--mantine-color-error': '#ff9d94',
    '--sb-surface': dark[8],
    '--sb-border': dark[5],
    '--sb-hover': dark[6],
    '--sb-accent-text': brand[3],
    '--sb-accent-soft': '#12302d',
    '--sb-flash': '#3a3212',
    '--sb-danger-text': '#ff8f85',
    '--sb-warning-text': '#f0bd69',
    '--sb-code-variable': '#c9a6f5',
    '--sb-code-keyword': '#8fc0f5',
    '--sb-code-string': '#8fd6a8',
    '--sb-code-number': '#f0b67f',
    '--mantine-color-red-light': '#33181a',
    '--mantine-color-red-light-color': red[2],
  },
});
