# Node in one stage: the SDK image, its package manager, and the app on top.
FROM node:26-trixie-slim AS sdk

# Dependencies before the source: a change of the source does not install them again.
# No install scripts: none of these packages needs one, and any package of the tree could run code with them.
FROM sdk AS deps
WORKDIR /app
RUN --mount=type=bind,source=package.json,target=package.json \
    --mount=type=bind,source=package-lock.json,target=package-lock.json \
    --mount=type=cache,id=node-npm,target=/root/.npm \
    --mount=type=tmpfs,target=/tmp \
    npm ci --omit=dev --ignore-scripts

# The tests bring their own tree, with what only development needs.
FROM sdk AS test
WORKDIR /app
RUN --mount=type=bind,source=package.json,target=package.json \
    --mount=type=bind,source=package-lock.json,target=package-lock.json \
    --mount=type=cache,id=node-npm,target=/root/.npm \
    --mount=type=tmpfs,target=/tmp \
    npm ci --ignore-scripts
COPY package.json eslint.config.js ./
COPY src ./src
COPY test ./test
RUN npm run lint && npm test

FROM deps AS final
# Modes by number: a checkout may be group-writable, and a user of group 0 must not be able to change the app.
COPY --link --chmod=0644 package.json /app/
COPY --link --chmod=0755 src /app/src
WORKDIR /app
ENV NODE_ENV=production
# A number, because Kubernetes cannot prove of a name that it is not root.
USER 65532:65532
EXPOSE 8080
# node itself and not npm, which would stand between the engine's signals and the app.
# Half of the memory limit for the heap: alone, V8 lets it grow past a small limit, until the kernel kills the process.
ENTRYPOINT ["/usr/local/bin/node", "--max-old-space-size-percentage=50", "/app/src/main.js"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/src/main.js", "healthcheck"]

# Last, so that a new commit reuses every layer above.
ARG APP_VERSION=0.0.0
ARG APP_COMMIT=unknown
ARG APP_BUILT=unknown
ENV APP_VERSION=$APP_VERSION \
    APP_COMMIT=$APP_COMMIT \
    APP_BUILT=$APP_BUILT
LABEL org.opencontainers.image.title="stageproof-node" \
      org.opencontainers.image.description="QR-code maker: Node, Fastify" \
      org.opencontainers.image.version="$APP_VERSION" \
      org.opencontainers.image.revision="$APP_COMMIT" \
      org.opencontainers.image.created="$APP_BUILT" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/stageproof/stageproof" \
      org.opencontainers.image.base.name="node:26-trixie-slim"
