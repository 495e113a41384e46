# Node.js builds the admin UI, which becomes part of the binary. The final image has no Node.js.
FROM node:22-bookworm-slim AS node

FROM rust:1-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && npm --version
WORKDIR /src
COPY . .
# The caches live as long as the builder; what the next stage needs is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/root/.npm \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin snackbase \
    && cp target/release/snackbase /usr/local/bin/snackbase

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin snackbase \
    && install -d -o snackbase -g snackbase /data
COPY --from=build /usr/local/bin/snackbase /usr/local/bin/snackbase
USER snackbase
# The working folder, too: a snackbase.toml in it is read.
WORKDIR /data
ENV SNACKBASE_DATA_DIR=/data SNACKBASE_HOST=0.0.0.0 SNACKBASE_PORT=8000
VOLUME /data
EXPOSE 8000
# Asks /ready with nothing but the shell: the image has no curl.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/$SNACKBASE_PORT\" && printf 'GET /ready HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["snackbase"]
CMD ["serve"]
