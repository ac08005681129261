# A company's certificate authority over an SDK image. The harness puts the result in the place of the stage `sdk`, so that
# pip, npm, go and mvn work behind a proxy that re-signs TLS. Nothing of it may reach a runtime image.
# `base` is no image of a registry: the harness names the SDK image as this context.
# hadolint ignore=DL3006
FROM base
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# Java reads neither the bundle nor the variables below, only a JKS file of its own.
RUN --mount=type=bind,source=cacerts,target=/cacerts \
    if [ -n "${JAVA_HOME:-}" ]; then cp --remove-destination /cacerts "$JAVA_HOME/lib/security/cacerts"; fi
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
