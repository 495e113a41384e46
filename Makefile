# The few things one does with this project. `make test` needs PostgreSQL's programs and Chromium on the machine.

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

.PHONY: run test check ui bench

# Builds and serves at http://127.0.0.1:8000
run:
	cargo run --release -- serve

# Everything: unit, property and integration tests on SQLite and PostgreSQL, the example, the published SDK, the API
# document, the UI
test: ui
	cargo build
	tests/with-postgres.sh cargo test
	cd tests/sdk && npm ci --no-audit --no-fund && SNACKBASE_BIN=$(TARGET)/debug/snackbase npm run test:both
	cd clients/realtime-js && npm ci --no-audit --no-fund && SNACKBASE_BIN=$(TARGET)/debug/snackbase npm test
	cd tests/pocketbase && npm ci --no-audit --no-fund && SNACKBASE_BIN=$(TARGET)/debug/snackbase node --test
	SNACKBASE_BIN=$(TARGET)/debug/snackbase tests/with-postgres.sh tests/schemathesis.sh
	cd admin-ui && npm test && SNACKBASE_BIN=$(TARGET)/debug/snackbase npm run e2e

# Formatting, lints and types
check: ui
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cd admin-ui && npm run check

# The packages of the admin UI; building it is part of the build of the crate
ui: admin-ui/node_modules/.package-lock.json

admin-ui/node_modules/.package-lock.json: admin-ui/package-lock.json
	cd admin-ui && npm ci --no-audit --no-fund

# The load generator against a fresh server: make bench ARGS="fanout --subscribers 1000"
bench:
	cargo build --release
	cargo bench --bench load -- $(or $(ARGS),all) --spawn $(TARGET)/release/snackbase
