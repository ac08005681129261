# JDK and Maven are Debian's; places, settings and entry script are those of the official image.
# A stand-in takes the newest packages; apt-get dist-clean removes the lists where they would stay.
# hadolint global ignore=DL3008,DL3009
FROM debian:trixie-slim AS packages
# The JDK's packages link man pages, whose folder a slim Debian lacks.
# Debian's Maven also pulls JDK 21, which stays behind in this stage.
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update \
 && apt-get install -y --no-install-recommends openjdk-25-jdk-headless maven
# Debian spreads both trees over /etc, /usr/share and /usr/lib with links; followed, they stand alone.
# Links to packages that are only suggested (sources, another transport) lead nowhere and are left out.
# Times are kept, since the archive of shared classes knows the time of the modules file.
RUN mkdir -p /target/opt/java /target/usr/share \
 && find /usr/lib/jvm/java-25-openjdk-* /usr/share/maven/ -xtype l -delete \
 && cp -rL --preserve=mode,timestamps /usr/lib/jvm/java-25-openjdk-* /target/opt/java/openjdk \
 && rm -rf /target/opt/java/openjdk/docs /target/opt/java/openjdk/man \
 && cp -rL --preserve=mode,timestamps /usr/share/maven /target/usr/share/maven

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      binutils ca-certificates curl fontconfig git gnupg locales openssh-client p11-kit tzdata wget \
      libcups2t64 libfreetype6 libharfbuzz0b libjpeg62-turbo liblcms2-2 libpcsclite1 \
 && localedef -i en_US -f UTF-8 en_US.UTF-8 \
 && apt-get dist-clean
COPY --link --from=packages /target/ /
COPY --chmod=0755 cacert-entrypoint.sh /__cacert_entrypoint.sh
COPY --chmod=0755 mvn-entrypoint.sh /usr/local/bin/mvn-entrypoint.sh
COPY settings-docker.xml /usr/share/maven/ref/settings-docker.xml
ENV JAVA_HOME=/opt/java/openjdk \
    PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=en_US.UTF-8 LANGUAGE=en_US:en LC_ALL=en_US.UTF-8 \
    MAVEN_HOME=/usr/share/maven \
    MAVEN_CONFIG=/root/.m2
RUN ln -s ../share/maven/bin/mvn /usr/bin/mvn \
 && printf '%s\n' "$JAVA_HOME/lib" "$JAVA_HOME/lib/server" > /etc/ld.so.conf.d/docker-openjdk.conf \
 && ldconfig
ENTRYPOINT ["/usr/local/bin/mvn-entrypoint.sh"]
CMD ["mvn"]
