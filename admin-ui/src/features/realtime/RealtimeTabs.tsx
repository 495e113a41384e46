import { TabLinks } from '@/ui/TabLinks';

export function RealtimeTabs() {
  return (
    <TabLinks
      label="Realtime"
      tabs={[
        { label: 'Events', link: { to: '/live' }, exact: true },
        { label: 'Connections', link: { to: '/live/connections' } },
        { label: 'Playground', link: { to: '/live/playground' } },
      ]}
    />
  );
}
