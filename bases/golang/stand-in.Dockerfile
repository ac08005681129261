# The compiler is Debian's, from backports; the layout and the settings are those of the official image.
# A stand-in takes the newest packages; apt-get dist-clean removes the lists where they would stay.
# hadolint global ignore=DL3008,DL3009
FROM debian:trixie-slim AS toolchain
RUN sed -i 's/^Suites: trixie .*/& trixie-backports/' /etc/apt/sources.list.d/debian.sources \
 && apt-get update \
 && apt-get install -y --no-install-recommends -t trixie-backports golang-1.27-go
# Debian spreads the tree over /usr/lib and /usr/share with links; followed, it is a normal GOROOT.
RUN mkdir -p /target/usr/local && cp -rL /usr/lib/go-1.27 /target/usr/local/go \
 && rm -rf /target/usr/local/go/test

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates curl gnupg netbase sq wget \
      git openssh-client procps \
      g++ gcc libc6-dev make pkg-config \
 && apt-get dist-clean
ENV GOLANG_VERSION=1.27 \
    GOTOOLCHAIN=local \
    GOPATH=/go \
    PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --link --from=toolchain /target/ /
RUN mkdir -p "$GOPATH/src" "$GOPATH/bin" && chmod -R 1777 "$GOPATH"
WORKDIR /go
