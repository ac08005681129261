# Everything in one image: SDK, source and binary. Compare with multistage.Dockerfile.
FROM golang:1.27-trixie AS sdk

FROM sdk AS deps
WORKDIR /app
# Before the source: a change of code alone fetches nothing.
RUN --mount=type=bind,source=go.mod,target=go.mod \
    --mount=type=bind,source=go.sum,target=go.sum \
    --mount=type=cache,id=go-mod,target=/go/pkg/mod \
    go mod download

FROM deps AS build
COPY go.mod go.sum main.go main_test.go ./
COPY internal/ internal/
# Without cgo the binary is static: it runs without a C library.
# No path of the builder gets into the binary; set here, so that build and tests share their cache.
ENV CGO_ENABLED=0 \
    GOFLAGS=-trimpath
RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
    --mount=type=cache,id=go-build,target=/root/.cache/go-build \
    go build -ldflags='-s -w' -o /app/qr .

FROM build AS test
RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
    --mount=type=cache,id=go-build,target=/root/.cache/go-build \
    go vet ./... && go test ./...

FROM build AS final
# The source came with the modes of the checkout, which may let the group write.
RUN chmod -R go-w /app
# A number, because Kubernetes cannot tell that a name is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/qr"]
# The binary asks itself: no shell and no curl needed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/app/qr", "healthcheck"]

# Last, so that a new commit reuses every layer above.
ARG APP_VERSION=0.0.0
ARG APP_COMMIT=unknown
ARG APP_BUILT=unknown
ENV APP_VERSION=$APP_VERSION \
    APP_COMMIT=$APP_COMMIT \
    APP_BUILT=$APP_BUILT
LABEL org.opencontainers.image.title="stageproof-go" \
      org.opencontainers.image.description="QR-code maker: Go, net/http" \
      org.opencontainers.image.version="$APP_VERSION" \
      org.opencontainers.image.revision="$APP_COMMIT" \
      org.opencontainers.image.created="$APP_BUILT" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/stageproof/stageproof" \
      org.opencontainers.image.base.name="golang:1.27-trixie"
