#!/bin/sh
# Run by mmdebstrap with the new root as $1: what the official image's own build adds to a minimal Debian.
set -eu
root=$1

# The official image has its sources in deb822 form; Dockerfiles edit that file.
awk '$1 == "deb" {
    key = $2 " " $4; if (!(key in suites)) order[++n] = key
    suites[key] = suites[key] " " $3
}
END {
    for (i = 1; i <= n; i++) {
        split(order[i], part, " ")
        print "Types: deb\nURIs: " part[1] "\nSuites:" suites[order[i]] "\nComponents: " part[2]
        print "Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp\n"
    }
}' "$root/etc/apt/sources.list" > "$root/etc/apt/sources.list.d/debian.sources"
rm "$root/etc/apt/sources.list"

cat > "$root/etc/apt/apt.conf.d/docker-clean" <<'EOF'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
EOF
echo 'Acquire::Languages "none";' > "$root/etc/apt/apt.conf.d/docker-no-languages"
echo 'Apt::AutoRemove::SuggestsImportant "false";' > "$root/etc/apt/apt.conf.d/docker-autoremove-suggests"
echo 'force-unsafe-io' > "$root/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
mv "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/docker"
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"

# Nothing of the machine that made it may stay.
rm -rf "$root/var/log"/*.log "$root/var/log/apt"/* "$root/var/cache/ldconfig/aux-cache" "$root/var/cache/apt"/*.bin
: > "$root/etc/machine-id"
: > "$root/etc/hostname"
: > "$root/etc/resolv.conf"
