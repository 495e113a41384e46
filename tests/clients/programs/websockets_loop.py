"""websockets, which connects again by itself in `async for`."""

import asyncio
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from report import COLLECTION, HEADERS, URL, handle, report


async def main():
    cursor = None
    try:
        async for socket in connect(URL.replace("http", "ws") + "/api/v1/realtime/ws", additional_headers=HEADERS):
            try:
                subscribe = {"action": "subscribe", "ref": "1", "collection": COLLECTION, "since": cursor}
                await socket.send(json.dumps(subscribe))
                async for message in socket:
                    cursor = json.loads(message).get("cursor", cursor)
                    handle(message)
            except ConnectionClosed as error:
                if error.rcvd and error.rcvd.code in (4401, 1008):
                    report(end=f"close {error.rcvd.code}")
                    return
    except InvalidStatus as error:
        report(end=f"error {error.response.status_code}")


asyncio.run(main())
