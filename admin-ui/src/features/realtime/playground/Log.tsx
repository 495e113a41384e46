import { ActionIcon, Button, Group, Text, TextInput, Title, Tooltip } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { type SubmitEvent, useState } from 'react';
import { formatNumber, plural } from '@/ui/format';
import { FrameRow } from './FrameRow';
import { lastCursor } from './frames';
import classes from './playground.module.css';
import type { usePlayground } from './use-playground';

interface Props {
  line: ReturnType<typeof usePlayground>;
  canSend: boolean;
  onContinue: (cursor: string) => void;
}

const STATES = { closed: 'not connected', connecting: 'connecting', open: 'connected' };

/** What went over the line, both ways. */
export function Log({ line, canSend, onContinue }: Props) {
  const cursor = lastCursor(line.frames);
  return (
    <section aria-label="Frames">
      <Group justify="space-between" mb="xs" gap="xs">
        <Group gap="xs" align="baseline">
          <Title order={2}>Frames</Title>
          <Text c="dimmed" fz="sm" role="status">
            {STATES[line.state]}
          </Text>
        </Group>
        <Group gap="xs">
          {cursor !== null && (
            <Tooltip label={`Sets “since” to ${cursor}, the newest place that came`}>
              <Button variant="default" size="compact-sm" onClick={() => onContinue(cursor)}>
                Resume from here
              </Button>
            </Tooltip>
          )}
          <Button variant="default" size="compact-sm" disabled={line.frames.length === 0} onClick={line.clear}>
            Clear
          </Button>
        </Group>
      </Group>
      <ul className={classes.log} aria-label="Frames, newest first" tabIndex={0}>
        {line.frames.map((frame) => (
          <FrameRow key={frame.number} frame={frame} />
        ))}
        {line.frames.length === 0 && (
          <Text component="li" c="dimmed" p="md">
            Connect to see every frame as it is on the line, those that are sent and those that come.
          </Text>
        )}
      </ul>
      {line.frames.length > 0 && (
        <Text c="dimmed" fz="sm" mt={4} className="tabular">
          {plural(line.frames.length, 'frame')}; the newest {formatNumber(300)} are kept.
        </Text>
      )}
      {canSend && line.state === 'open' && <SendBox onSend={line.send} />}
    </section>
  );
}

/** Any message at all, also one that the server will refuse. */
function SendBox({ onSend }: { onSend: (text: string) => void }) {
  const [text, setText] = useState('{"action": "ping"}');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSend(text);
  };
  return (
    <form onSubmit={submit}>
      <TextInput
        mt="xs"
        aria-label="Message to send"
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        rightSection={
          <ActionIcon type="submit" aria-label="Send message" disabled={text.trim() === ''}>
            <IconSend size={16} />
          </ActionIcon>
        }
      />
    </form>
  );
}
