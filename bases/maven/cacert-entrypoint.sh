#!/bin/sh
# The official script also imports certificates; a stand-in says that it cannot, rather than not do it.
set -eu
if [ -n "${USE_SYSTEM_CA_CERTS:-}" ]; then
    echo 'USE_SYSTEM_CA_CERTS: not supported by this stand-in of the Temurin image' >&2
    exit 1
fi
export JRE_CACERTS_PATH="$JAVA_HOME/lib/security/cacerts"
exec "$@"
