# The runtime is Debian's; place and settings are those of the Temurin image.
# A stand-in takes the newest packages; apt-get dist-clean removes the lists where they would stay.
# hadolint global ignore=DL3008,DL3009
FROM debian:trixie-slim AS packages
# The packages link man pages, whose folder a slim Debian lacks.
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update \
 && apt-get install -y --no-install-recommends openjdk-25-jre-headless
# Debian spreads the tree over /etc and /usr/lib with links; followed, it stands alone.
# Times are kept, since the archive of shared classes knows the time of the modules file.
RUN mkdir -p /target/opt/java \
 && cp -rL --preserve=mode,timestamps /usr/lib/jvm/java-25-openjdk-* /target/opt/java/openjdk \
 && rm -rf /target/opt/java/openjdk/docs /target/opt/java/openjdk/man

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates curl fontconfig gnupg locales p11-kit tzdata wget \
      libcups2t64 libfreetype6 libharfbuzz0b libjpeg62-turbo liblcms2-2 libpcsclite1 \
 && localedef -i en_US -f UTF-8 en_US.UTF-8 \
 && apt-get dist-clean
COPY --link --from=packages /target/ /
COPY --chmod=0755 cacert-entrypoint.sh /__cacert_entrypoint.sh
ENV JAVA_HOME=/opt/java/openjdk \
    PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=en_US.UTF-8 LANGUAGE=en_US:en LC_ALL=en_US.UTF-8
RUN printf '%s\n' "$JAVA_HOME/lib" "$JAVA_HOME/lib/server" > /etc/ld.so.conf.d/docker-openjdk.conf && ldconfig
ENTRYPOINT ["/__cacert_entrypoint.sh"]
CMD []
