"""What the programs share: where to connect, and how they tell what they see."""

import json
import os

URL, TOKEN, COLLECTION = (os.environ[name] for name in ("URL", "TOKEN", "COLLECTION"))
STREAM = f"{URL}/api/v1/realtime/subscribe?collection={COLLECTION}"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def report(**seen):
    print(json.dumps(seen), flush=True)


def handle(data):
    """The handler that everybody writes first; some libraries hand over blocks without data, too."""
    if not data:
        return
    frame = json.loads(data)
    if "operation" in frame:
        report(event=frame["data"]["title"])
