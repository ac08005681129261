# Java on distroless: the JDK image builds the app and links a runtime of the modules it needs; distroless runs them.
# BASE_TAG=debug-nonroot adds a shell.
ARG BASE_TAG=nonroot
FROM maven:3.9-eclipse-temurin-25 AS sdk

# Dependencies before the source: a change of the source does not fetch them again.
# Maven checks each file against the hashes in .mvn/checksums.
FROM sdk AS deps
WORKDIR /app
RUN --mount=type=bind,source=pom.xml,target=pom.xml \
    --mount=type=bind,source=.mvn,target=.mvn \
    --mount=type=cache,id=java-m2,target=/root/.m2,sharing=locked \
    mvn --batch-mode --no-transfer-progress dependency:go-offline

# The runtime. Spring reads beans with java.beans, which is in java.desktop; its native code for screens stays out.
# Tomcat needs the others: class loading, logs, its JMX and JNDI names, the type of a Kerberos login.
# A JDK without jmods links from its own files, and would reject a trust store with a company's CA in it.
# That store is not shipped: the runtime reads the one of the base image.
RUN jlink --output /jre \
        --add-modules java.desktop,java.instrument,java.logging,java.management,java.naming,java.security.jgss \
        --exclude-files '/java.desktop/**' \
        --ignore-modified-runtime --no-header-files --no-man-pages --strip-java-debug-attributes --compress zip-6 \
    && ln --force --symbolic /etc/ssl/certs/java/cacerts /jre/lib/security/cacerts

FROM deps AS build
COPY pom.xml ./
COPY .mvn ./.mvn
COPY src ./src
# The jar taken apart into app and libraries: the libraries change less often, and an AOT cache needs plain jars.
RUN --mount=type=cache,id=java-m2,target=/root/.m2,sharing=locked \
    mvn --batch-mode --no-transfer-progress -DskipTests package \
    && java -Djarmode=tools -jar target/qr.jar extract --force --destination /app

FROM build AS test
RUN --mount=type=cache,id=java-m2,target=/root/.m2,sharing=locked \
    mvn --batch-mode --no-transfer-progress test

FROM gcr.io/distroless/java-base-debian13:${BASE_TAG} AS final
# To make the folder and what is in it; the app does not run as root.
USER 0:0
WORKDIR /app
COPY --link --from=deps /jre /app/jre
COPY --link --from=build /app/lib /app/lib
COPY --link --from=build /app/qr.jar /app/qr.jar
# A start that ends before the socket opens: it leaves the loaded and linked classes for the JVM to begin with.
# The cache fits exactly this JVM and these jars, their times included. It holds no profile of the start: by one the
# JVM would compile for peak speed what only a start runs, and take a quarter more processor for it.
RUN --mount=type=tmpfs,target=/tmp \
    ["/app/jre/bin/java", "-XX:AOTCacheOutput=/app/qr.aot", \
    "-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTRecordTraining", \
    "-Dspring.aot.enabled=true", "-Dspring.context.exit=onRefresh", "-jar", "/app/qr.jar"]
# A number, because Kubernetes cannot prove of a name that it is not root.
USER 65532:65532
EXPOSE 8080
# With -XX:AOTMode=on in JAVA_TOOL_OPTIONS a cache that does not fit ends the start; without, it only makes it slow.
# Which beans there are was decided when the jar was made: process-aot in pom.xml.
# Half of the memory limit for the heap: the other half is for classes, code and threads.
# A process that is out of memory is better ended than half alive.
# No performance data: they would be a file in /tmp.
# What the JVM itself has to say goes to standard error; standard output is for JSON.
ENTRYPOINT ["/app/jre/bin/java", \
    "-XX:AOTCache=/app/qr.aot", \
    "-Dspring.aot.enabled=true", \
    "-XX:MaxRAMPercentage=50", \
    "-XX:+ExitOnOutOfMemoryError", \
    "-XX:-UsePerfData", \
    "-XX:+DisplayVMOutputToStderr", "-Xlog:disable", "-Xlog:all=warning:stderr", \
    "-jar", "/app/qr.jar"]
# The app asks itself: no shell and no curl needed. It is over before the better compiler would pay.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["/app/jre/bin/java", "-XX:AOTCache=/app/qr.aot", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", \
    "-jar", "/app/qr.jar", "healthcheck"]

# Last, so that a new commit reuses every layer above.
ARG BASE_TAG
ARG APP_VERSION=0.0.0
ARG APP_COMMIT=unknown
ARG APP_BUILT=unknown
ENV APP_VERSION=$APP_VERSION \
    APP_COMMIT=$APP_COMMIT \
    APP_BUILT=$APP_BUILT
LABEL org.opencontainers.image.title="stageproof-java" \
      org.opencontainers.image.description="QR-code maker: Java, Spring Boot" \
      org.opencontainers.image.version="$APP_VERSION" \
      org.opencontainers.image.revision="$APP_COMMIT" \
      org.opencontainers.image.created="$APP_BUILT" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/stageproof/stageproof" \
      org.opencontainers.image.base.name="gcr.io/distroless/java-base-debian13:${BASE_TAG}"
