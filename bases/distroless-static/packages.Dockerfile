# What all distroless stand-ins are composed of: the packages as they are, and what only a tool can make out of them.
FROM debian:trixie-slim AS download
ARG PACKAGES
WORKDIR /out/packages
# apt's own user may not write here; root fetches, and apt still checks every signature and sum.
RUN apt-get update && apt-get -o APT::Sandbox::User=root download $PACKAGES && rm -rf /var/lib/apt/lists
RUN dpkg --print-architecture > /out/architecture
RUN dpkg-deb -x busybox-static_*.deb /tmp/busybox && /tmp/busybox/usr/bin/busybox --list > /out/busybox-applets
# The cache of libraries, as the loader of these very packages makes it.
ARG LIBRARY_PACKAGES
RUN set -eu; mkdir /tmp/tree; for name in $LIBRARY_PACKAGES; do dpkg-deb -x "${name}"_*.deb /tmp/tree; done; \
    /sbin/ldconfig -r /tmp/tree; cp /tmp/tree/etc/ld.so.cache /out/ld.so.cache

FROM scratch
COPY --from=download /out/ /
