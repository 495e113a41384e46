#!/usr/bin/env bash
# How Python clients write the name of an uploaded file into multipart/form-data.
#
# Versions: requests 2.34.2 (urllib3 2.8.0), httpx 0.28.1, aiohttp 3.14.5, Python 3.
#
# What one would guess: names go as UTF-8, and what would end the quoted text is written as browsers write it (%22), or
# else `filename*` comes along; so a server decodes %22, %0D and %0A and nothing else.
#
# What they do: requests and httpx write raw UTF-8 and %22. aiohttp percent-encodes every character that is not ASCII, and
# the percent sign, into a plain `filename="%E6%97%A5.txt"`, without `filename*`: nothing tells it from a name that
# has these characters. A backslash stays one with requests, becomes two with httpx and %5C with aiohttp. The names a"b and
# a%22b arrive alike from requests and httpx, and apart from aiohttp.
#
# Output seen:
#   requests 日本.txt    filename="日本.txt"
#   httpx    日本.txt    filename="日本.txt"
#   aiohttp  日本.txt    filename="%E6%97%A5%E6%9C%AC.txt"
#   requests a\b.txt     filename="a\b.txt"
#   httpx    a\b.txt     filename="a\\b.txt"
#   aiohttp  a\b.txt     filename="a%5Cb.txt"
#   requests a%22b.txt   filename="a%22b.txt"
#   httpx    a%22b.txt   filename="a%22b.txt"
#   aiohttp  a%22b.txt   filename="a%2522b.txt"
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 aiohttp==3.14.5

cat > "$folder/names.py" <<'PY'
import asyncio, io, re, socket, threading
import aiohttp, httpx, requests

heads = []

def serve(listener):
    while True:
        connection, _ = listener.accept()
        connection.settimeout(5)
        data = b""
        while not data.rstrip().endswith(b"--") or b"DATA\r\n" not in data:
            data += connection.recv(65536)
        heads.append(re.search(rb"filename.*", data).group().rstrip(b"\r"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

async def with_aiohttp(name):
    form = aiohttp.FormData()
    form.add_field("f", io.BytesIO(b"DATA"), filename=name)
    async with aiohttp.ClientSession() as session:
        await session.post(url, data=form)

clients = {
    "requests": lambda name: requests.post(url, files={"f": (name, b"DATA")}),
    "httpx": lambda name: httpx.post(url, files={"f": (name, b"DATA")}),
    "aiohttp": lambda name: asyncio.run(with_aiohttp(name)),
}
expected = {
    "日本.txt": ["日本.txt", "日本.txt", "%E6%97%A5%E6%9C%AC.txt"],
    "a\\b.txt": ["a\\b.txt", "a\\\\b.txt", "a%5Cb.txt"],
    "a%22b.txt": ["a%22b.txt", "a%22b.txt", "a%2522b.txt"],
    'a"b.txt': ["a%22b.txt", "a%22b.txt", "a%22b.txt"],
}
for name, written in expected.items():
    for (client, send), text in zip(clients.items(), written):
        send(name)
        head = heads.pop().decode()
        print(f"{client:8} {name:12} {head}")
        assert head == f'filename="{text}"', (client, name, head)
PY
"$folder/venv/bin/python" "$folder/names.py"
