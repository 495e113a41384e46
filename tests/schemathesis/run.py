"""Holds a server to its API document: Schemathesis sends what the document allows, and what it does not.

Run by tests/schemathesis.sh. No answer may be a 5xx, or have a status, a type or a body that the document does not have;
what the document forbids to send must be refused, and what it closes must be closed.

SNACKBASE_BIN                  the server binary
SNACKBASE_TEST_POSTGRES_URL    optional: an empty PostgreSQL database for a second round
SCHEMATHESIS_SECONDS           optional: how long one run takes
"""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

import requests

PASSWORD = "Correct-Horse-42"
RULE = "@request.auth.id != ''"
FIELDS = [
    {"name": "title", "type": "text", "required": True},
    {"name": "views", "type": "number", "default": 0},
    {"name": "done", "type": "boolean"},
    {"name": "due", "type": "datetime"},
    {"name": "day", "type": "date"},
    {"name": "mail", "type": "email", "pii": True, "mask_type": "email"},
    {"name": "link", "type": "url"},
    {"name": "meta", "type": "json"},
    {"name": "code", "type": "text", "unique": True},
    {"name": "parent", "type": "reference", "collection": "posts", "on_delete": "cascade"},
]


class Server:
    """A server with a database of its own."""

    def __init__(self, database_url):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="snackbase-schemathesis-"))
        settings = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "DATA_DIR": str(self.folder),
            "ENVIRONMENT": "testing",
            "SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "SUPERADMIN_EMAIL": "root@example.com",
            "SUPERADMIN_PASSWORD": PASSWORD,
            "ARGON2_MEMORY_KIB": "64",
            "ARGON2_ITERATIONS": "1",
            "LOG_LEVEL": "warn",
            "THROTTLE_ENABLED": "false",
        }
        if database_url:
            settings["DATABASE_URL"] = database_url
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SNACKBASE_")}
        environment |= {f"SNACKBASE_{name}": value for name, value in settings.items()}
        binary = os.path.abspath(os.environ["SNACKBASE_BIN"])
        self.process = subprocess.Popen(
            [binary, "serve"], cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.log, addresses = [], queue.Queue()
        threading.Thread(target=self._read, args=[addresses], daemon=True).start()
        self.url = "http://" + addresses.get(timeout=30)

    def _read(self, addresses):
        for line in self.process.stderr:
            self.log.append(line)
            if "http://" in line:
                addresses.put(line.split("http://")[1].split("/")[0].split()[0])

    def call(self, method, path, body=None, token=None):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = requests.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def login(self, account, email):
        body = {"account": account, "email": email, "password": PASSWORD}
        return self.call("POST", "/auth/login", body)["token"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


# What may end the session of whoever calls.
ENDING_SESSIONS = (
    "/api/v1/auth/logout",
    "/api/v1/auth/sessions",
    "/api/v1/auth/sessions/{session_id}",
    "/api/v1/users/{id}/password",
    "/api/v1/users/{id}/sessions",
    "/api/v1/users/{id}/sessions/{session_id}",
)


def furnish(server):
    """People, a collection and records; returns what the settings of Schemathesis name."""
    root = server.login("system", "root@example.com")
    superadmin = {"email": "spare@example.com", "password": PASSWORD, "role_id": 1, "email_verified": True}
    server.call("POST", "/users", superadmin | {"account_id": "00000000-0000-0000-0000-000000000000"}, root)
    for slug in ("acme", "other"):
        body = {"email": f"ann@{slug}.com", "password": PASSWORD, "account_name": slug, "account_slug": slug}
        server.call("POST", "/auth/register", body)
    rules = {f"{operation}_rule": RULE for operation in ("list", "view", "create", "update", "delete")}
    server.call("POST", "/collections", {"name": "posts", "fields": FIELDS, **rules}, root)
    public = {f"{operation}_rule": "" for operation in ("list", "view", "create", "update", "delete")}
    server.call("POST", "/collections", {"name": "notes", "fields": FIELDS[1:3], **public}, root)
    ann = server.login("acme", "ann@acme.com")
    record = server.call("POST", "/records/posts", {"title": "first", "code": "a"}, ann)
    return {
        "ROOT": root,
        "SPARE": server.login("system", "spare@example.com"),
        "ANN": ann,
        "SPARE_ANN": server.login("acme", "ann@acme.com"),
        "RECORD": record["id"],
        "USER": record["created_by"],
        "ACCOUNT": record["account_id"],
    }


def settings(names, headers, spare, seconds):
    """The configuration of one run. A request that may end the caller's session comes from a spare one."""

    def table(values):
        return "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in values.items())

    known = {
        "collection": ["posts", "notes"],
        "name": ["posts", "notes"],
        "id": [names["RECORD"], names["USER"], names["ACCOUNT"], "posts", "notes"],
    }
    # One worker: Python 3.11 cannot parse in several threads at once.
    text = "seed = 7\nworkers = 1\ncontinue-on-failure = true\nrequest-timeout = 20\nwarnings = false\n"
    text += f"max-time = {seconds}\n[headers]\n" + table(headers)
    # Another wording of what is right is no problem: whether a password is good enough is not for a document to say.
    text += "[checks.positive_data_acceptance]\nenabled = false\n"
    for name, values in known.items():
        text += f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
    text += "[parameters]\n"
    text += "".join(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.8 }}\n' for name in known)
    for path in ENDING_SESSIONS:
        text += f'[[operations]]\ninclude-path = "{path}"\n[operations.headers]\n' + table(spare)
        text += f'[operations.parameters]\n"path.id" = "{names["USER"]}"\n' if "{id}" in path else ""
    return text


def fuzz(server, who, config, tags):
    """One run as one caller; True if everything held."""
    print(f"\n### {who}", flush=True)
    file = server.folder / "schemathesis.toml"
    file.write_text(config)
    program = pathlib.Path(sys.executable).with_name("st")
    arguments = ["--no-color", "--config-file", file, "run", f"{server.url}/openapi.json"]
    # The resumable uploads speak tus, whose headers the tool cannot make up; tests/api/files/resumable.rs has them.
    arguments += ["--exclude-path-regex", "^/api/v1/files/resumable"]
    for tag in tags:
        arguments += ["--include-tag", tag]
    hooks = pathlib.Path(__file__).with_name("hooks.py")
    environment = os.environ | {"PYTHONUTF8": "1", "SCHEMATHESIS_HOOKS": str(hooks)}
    return subprocess.run([program, *arguments], env=environment, cwd=server.folder, check=False).returncode == 0


def check(what, database_url, seconds):
    """All callers against a fresh server."""
    server = Server(database_url)
    try:
        names = furnish(server)

        def bearer(name):
            return {"Authorization": f"Bearer {names[name]}"}

        visitor = {"X-Account-ID": "acme"}
        # The superadmin comes last, who may delete what the others need.
        callers = [
            ("a user", bearer("ANN"), bearer("SPARE_ANN"), ["records"], seconds),
            ("a visitor", visitor, visitor, ["records", "auth", "setup", "health"], seconds),
            ("a superadmin", bearer("ROOT"), bearer("SPARE"), [], seconds * 2),
        ]
        held = []
        for who, headers, spare, tags, time in callers:
            held.append(fuzz(server, f"{who}, {what}", settings(names, headers, spare, time), tags))
            # A caller whose session has ended would test nothing but refusals.
            if "Authorization" in headers:
                server.call("GET", "/auth/me", token=headers["Authorization"].removeprefix("Bearer "))
        if not all(held):
            print("the server's log:", "".join(server.log[-50:]), sep="\n")
        return all(held)
    finally:
        server.stop()


def main():
    seconds = int(os.environ.get("SCHEMATHESIS_SECONDS", "10"))
    held = check("SQLite", None, seconds)
    postgres = os.environ.get("SNACKBASE_TEST_POSTGRES_URL")
    if postgres:
        held &= check("PostgreSQL", postgres, seconds)
    else:
        print("### SKIPPED: Schemathesis on PostgreSQL, because SNACKBASE_TEST_POSTGRES_URL is not set ###")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
