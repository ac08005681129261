# The runtime is Debian's; place and settings are those of the Temurin image.
# A stand-in takes the newest packages; apt-get dist-clean removes the lists where they would stay.
# hadolint global ignore=DL3008,DL3009
FROM debian:trixie-slim AS packages
# The packages link man pages, whose folder a slim Debian lacks.
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update \
 && apt-get install -y --no-install-recommends binutils openjdk-25-jdk-headless
# Debian's runtime holds the compiler's module too, and Temurin's does not: linked anew from what a runtime is for.
# The trust store is Debian's; the archive of shared classes is made for these modules.
RUN mkdir -p /target/opt/java \
 && jlink --output /target/opt/java/openjdk --no-header-files --no-man-pages --add-modules \
java.se,java.smartcardio,jdk.accessibility,jdk.charsets,jdk.crypto.cryptoki,jdk.crypto.ec,jdk.dynalink,jdk.httpserver,\
jdk.incubator.vector,jdk.jdwp.agent,jdk.jfr,jdk.localedata,jdk.management,jdk.management.agent,jdk.management.jfr,\
jdk.naming.dns,jdk.naming.rmi,jdk.net,jdk.nio.mapmode,jdk.sctp,jdk.security.auth,jdk.security.jgss,jdk.unsupported,\
jdk.xml.dom,jdk.zipfs \
 && cp -L --remove-destination /etc/ssl/certs/java/cacerts /target/opt/java/openjdk/lib/security/cacerts \
 && /target/opt/java/openjdk/bin/java -Xshare:dump

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
