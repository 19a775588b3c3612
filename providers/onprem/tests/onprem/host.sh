# Becomes a host: run as the first process of new mount, process, network, host-name and IPC namespaces.
# $1: a folder of its own; $2: the root file system that it is a layer over.
set -e
root=$1/root
mkdir "$1/layer" "$root"
mount -t tmpfs -o size=256m layer "$1/layer"
mkdir "$1/layer/upper" "$1/layer/work"
mount -t overlay -o "lowerdir=$2,upperdir=$1/layer/upper,workdir=$1/layer/work" host "$root"
mount -t proc proc "$root/proc"
# Settings of the kernel are the machine's, except those of the network: a host must not reach them.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net" && mount -o remount,bind,rw "$root/proc/sys/net"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o size=1m,mode=755 dev "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/tty" c 5 0
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
# A small disk, to fill.
mount -t tmpfs -o size=128k srv "$root/srv"
mkdir -p "$root/run/sshd" "$root/root/.ssh"
chmod 700 "$root/root/.ssh"
cp "$1/authorized_keys" "$root/root/.ssh/authorized_keys"
[ ! -e "$1/user_ca.pub" ] || cp "$1/user_ca.pub" "$root/etc/ssh/user_ca.pub"
hostname "$3"
chroot "$root" ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
cp "$root/etc/ssh/ssh_host_ed25519_key.pub" "$1/host_key.pub"
cat > "$root/etc/ssh/lab.conf" <<CONF
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
PidFile none
TrustedUserCAKeys /etc/ssh/user_ca.pub
CONF
[ -e "$root/etc/ssh/user_ca.pub" ] || sed -i /TrustedUserCAKeys/d "$root/etc/ssh/lab.conf"
# The network comes from outside.
echo up
read -r address
ip link set lo up
ip addr add "$address" dev host0
ip link set host0 up
chroot "$root" /usr/sbin/sshd -D -e -f /etc/ssh/lab.conf 2>"$1/sshd.log" &
echo ready
# Until whoever started it is gone: then everything in here ends.
while read -r _; do :; done
