"""httpx-sse, in a loop that resumes: the library does not connect again by itself."""

import time

import httpx
from httpx_sse import connect_sse

from report import HEADERS, STREAM, handle, report

last = ""
while True:
    try:
        headers = HEADERS | ({"Last-Event-ID": last} if last else {})
        # Without `timeout`, a stream that is silent for five seconds ends.
        with httpx.Client(timeout=None) as client, connect_sse(client, "GET", STREAM, headers=headers) as source:
            source.response.raise_for_status()
            for event in source.iter_sse():
                last = event.id or last
                handle(event.data)
    except httpx.HTTPStatusError as error:
        report(end=f"error {error.response.status_code}")
        break
    except httpx.TransportError:
        pass
    time.sleep(0.5)
