# Everything in one image: SDK, package manager, source and app. Compare with multistage.Dockerfile.
FROM python:3.13-slim-trixie AS sdk

FROM sdk AS deps
WORKDIR /app
# No pip in it: the SDK's own installs from outside.
RUN python3 -m venv --without-pip /app/venv
# Before the source: a change of code alone installs nothing. Wheels only: nothing is compiled or run while it is installed.
RUN --mount=type=bind,source=requirements.lock,target=requirements.lock \
    --mount=type=cache,id=python-pip,target=/root/.cache/pip \
    pip --python /app/venv/bin/python3 install --require-hashes --only-binary=:all: --no-compile -r requirements.lock

FROM deps AS build
COPY src/ src/
# The source came with the modes of the checkout, which may let the group write.
RUN chmod -R go-w src

FROM deps AS test
RUN --mount=type=bind,source=requirements-dev.lock,target=requirements-dev.lock \
    --mount=type=cache,id=python-pip,target=/root/.cache/pip \
    pip --python /app/venv/bin/python3 install --require-hashes --only-binary=:all: -r requirements-dev.lock
COPY pyproject.toml ./
COPY src/ src/
COPY tests/ tests/
RUN /app/venv/bin/python3 -m pytest

FROM build AS final
WORKDIR /app
ENV PYTHONPATH=/app/src \
    PYTHONPYCACHEPREFIX=/app/bytecode
# By the interpreter that will use it. The base has no bytecode of the standard library, and the app may not write its own:
# without this every start and every probe compiles.
RUN ["/app/venv/bin/python3", "-m", "qr.bytecode"]
# A number, because Kubernetes cannot tell that a name is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/venv/bin/python3", "-m", "qr"]
# The service asks itself: no shell and no curl needed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["/app/venv/bin/python3", "-m", "qr", "healthcheck"]

# Last, so that a new commit reuses every layer above.
ARG APP_VERSION=0.0.0
ARG APP_COMMIT=unknown
ARG APP_BUILT=unknown
ENV APP_VERSION=$APP_VERSION \
    APP_COMMIT=$APP_COMMIT \
    APP_BUILT=$APP_BUILT
LABEL org.opencontainers.image.title="stageproof-python" \
      org.opencontainers.image.description="QR-code maker: Python, Flask on gunicorn" \
      org.opencontainers.image.version="$APP_VERSION" \
      org.opencontainers.image.revision="$APP_COMMIT" \
      org.opencontainers.image.created="$APP_BUILT" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/stageproof/stageproof" \
      org.opencontainers.image.base.name="python:3.13-slim-trixie"
