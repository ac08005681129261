# Enter the private engine's root file system for good, and keep the mount namespace open.
# Run as: unshare --mount --propagation private sh namespace.sh ROOT HOME
# A plain chroot is not enough: the engine remounts "/" when it unpacks a layer, and "/" must be a mount.
set -eu
root=$1 home=$2

mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder"; done
mount --bind "$home" "$root/engine"
for folder in run tmp; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
chmod 1777 "$root/tmp"
mount --bind "$home/run/resolv.conf" "$root/etc/resolv.conf"
[ ! -f "$home/run/ca.crt" ] || mount --bind "$home/run/ca.crt" "$root/etc/ssl/certs/ca-certificates.crt"
[ ! -d /etc/docker/certs.d ] || mount --bind /etc/docker/certs.d "$root/etc/docker/certs.d"

cd "$root"
pivot_root . old
cd /
umount -l /old
echo ready
exec setpriv --pdeathsig KILL sleep infinity >/dev/null 2>&1
