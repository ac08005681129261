#!/bin/sh
# As in the official image: reference files go to $MAVEN_CONFIG once, and Maven must not see that variable.
set -eu
config=${MAVEN_CONFIG:-$HOME/.m2}
if mkdir -p "$config" 2>/dev/null && [ -w "$config" ]; then
    cp -rn /usr/share/maven/ref/. "$config/"
fi
unset MAVEN_CONFIG
exec "$@"
