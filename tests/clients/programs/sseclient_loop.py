"""sseclient-py over requests, in a loop that resumes: the library does not connect again by itself."""

import time

import requests
from sseclient import SSEClient

from report import HEADERS, STREAM, handle, report

last = ""
while True:
    try:
        headers = HEADERS | ({"Last-Event-ID": last} if last else {})
        response = requests.get(STREAM, stream=True, headers=headers)
        # The library reads an error's body as a stream without events.
        response.raise_for_status()
        for event in SSEClient(response).events():
            last = event.id or last
            handle(event.data)
    except requests.HTTPError as error:
        report(end=f"error {error.response.status_code}")
        break
    except requests.RequestException:
        pass
    time.sleep(0.5)
