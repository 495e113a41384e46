import { ActionIcon, Button, Group, Popover, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { toast } from '@/ui/toast';
import { type SavedView, useSavedViews } from './saved-views';

interface Props {
  collection: string;
  current: Omit<SavedView, 'name'>;
  onPick: (view: SavedView) => void;
}

export function ViewsMenu({ collection, current, onPick }: Props) {
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState('');
  const { views, save, remove, restore } = useSavedViews(collection);
  const forget = (view: SavedView) => {
    const before = views;
    remove(view.name);
    toast.undo(`Removed the view ${view.name}.`, () => {
      restore(before);
      return Promise.resolve();
    });
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={280} trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label="Saved views">
          <ActionIcon aria-label="Saved views" size={32} onClick={() => setOpened(!opened)}>
            <IconBookmark size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label="Saved views">
        <Stack gap={6}>
          {views.length === 0 && (
            <Text fz="sm" c="dimmed">
              A view keeps filter, search, sort and columns under a name, in this browser.
            </Text>
          )}
          {views.map((view) => (
            <Group key={view.name} gap={4} wrap="nowrap">
              <Button
                variant="subtle"
                color="gray"
                justify="start"
                flex={1}
                miw={0}
                title={view.name}
                onClick={() => {
                  setOpened(false);
                  onPick(view);
                }}
              >
                <span className="ellipsis">{view.name}</span>
              </Button>
              <ActionIcon aria-label={`Remove the view ${view.name}`} onClick={() => forget(view)}>
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
          ))}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (name.trim() === '') return;
              save({ ...current, name: name.trim() });
              toast.done(`Saved the view ${name.trim()}.`);
              setName('');
              setOpened(false);
            }}
          >
            <Group gap={6} wrap="nowrap">
              <TextInput
                aria-label="Name of the view"
                placeholder="Name"
                autoComplete="off"
                flex={1}
                maxLength={60}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button type="submit" variant="default" disabled={name.trim() === ''}>
                Save view
              </Button>
            </Group>
          </form>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
