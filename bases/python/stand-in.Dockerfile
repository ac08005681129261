# Python as the official image has it, below /usr/local; relink.sh tells how it comes out of Debian's packages.
# A stand-in takes the newest packages; apt-get dist-clean removes the lists where they would stay.
# hadolint global ignore=DL3008,DL3009
FROM debian:trixie-slim AS python
RUN sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources \
 && apt-get update \
 && apt-get install -y --no-install-recommends \
      gcc libc6-dev libexpat1-dev python3.13-dev python3.13-venv xz-utils zlib1g-dev
WORKDIR /source
# Upstream's own archive; Debian's sum over it is signed. A new version has to be named below, in PYTHON_VERSION.
RUN apt-get -o APT::Sandbox::User=root source --download-only --only-source python3.13 \
 && tar -xf python3.13_*.orig.tar.xz --strip-components=1
RUN --mount=source=relink.sh,target=/relink.sh sh /relink.sh /target

FROM debian:trixie-slim
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates netbase tzdata \
      libexpat1 libffi8 libncursesw6 libreadline8t64 libsqlite3-0 \
 && apt-get dist-clean
COPY --link --from=python /target/ /
ENV PYTHON_VERSION=3.13.5
RUN ldconfig \
 && test "$(python3 -c 'import platform; print(platform.python_version())')" = "$PYTHON_VERSION" \
 && PYTHONDONTWRITEBYTECODE=1 PIP_ROOT_USER_ACTION=ignore python3 -m ensurepip --default-pip \
 && find /usr/local -name __pycache__ -prune -exec rm -rf {} +
CMD ["python3"]
