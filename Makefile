# The few things one does with this project. `make test` needs PostgreSQL's programs and Chromium on the machine.

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

SERVER := SNACKBASE_BIN=$(TARGET)/debug/snackbase

.PHONY: run test test-rust test-clients test-document test-ui check check-rust check-ui server ui client bench

# Builds and serves at http://127.0.0.1:8000
run:
	cargo run --release -- serve

# Everything. The parts do not depend on each other: `make -j2 -O test` is quicker
test: test-rust test-clients test-document test-ui

# Unit, property and integration tests on SQLite and PostgreSQL, and the example
test-rust: server
	tests/with-postgres.sh cargo test

# The published SDK and our client on both databases, the SDK of PocketBase, and the clients of docs/clients.md
test-clients: server client
	cd tests/sdk && npm ci --no-audit --no-fund && $(SERVER) npm run test:both
	cd clients/js && $(SERVER) npm run test:both
	cd tests/pocketbase && npm ci --no-audit --no-fund && $(SERVER) node --test
	tests/clients/run.sh install && $(SERVER) tests/clients/run.sh

# Whether the server does what its API document says
test-document: server
	$(SERVER) tests/with-postgres.sh tests/schemathesis.sh

# The admin UI, also in Chromium
test-ui: server
	cd admin-ui && npm test && $(SERVER) npm run e2e

# Formatting, lints and types
check: check-rust check-ui

check-rust: ui
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

check-ui: ui
	cd admin-ui && npm run check

# The server that the tests of clients use, built with the Rust tests: what they need besides would have half of it
# compiled a second time
server: ui
	cargo test --no-run

# The packages of the admin UI; building it is part of the build of the crate
ui: admin-ui/node_modules/.package-lock.json

admin-ui/node_modules/.package-lock.json: admin-ui/package-lock.json
	cd admin-ui && npm ci --no-audit --no-fund

# The packages of the JavaScript client
client: clients/js/node_modules/.package-lock.json

clients/js/node_modules/.package-lock.json: clients/js/package-lock.json
	cd clients/js && npm ci --no-audit --no-fund

# The load generator against a fresh server: make bench ARGS="fanout --subscribers 1000"
bench:
	cargo build --release
	cargo bench --bench load -- $(or $(ARGS),all) --spawn $(TARGET)/release/snackbase
