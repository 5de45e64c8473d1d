#!/usr/bin/env bash
# Tries this checkout, as it stands, on the Debian after this machine's: a chroot that debootstrap
# makes from the machine's own apt sources. There an ordinary user runs `./quickstart lua5.4` and the
# unit tests with that Debian's gcc, builds once more with its clang, and compares what both compile
# through llama with what they compile alone.
#
#   tools/next_debian.sh [CTEST-PATTERN]    the end-to-end tests there; e2e.commands.(gcc|clang)
#
# Exits with 77 and one line of why where it can't be tried. The chroot and its builds stay below
# build/next_debian for the next run, until what it is made of changes. Everything runs in mount and
# process namespaces that end with this script, however it ends: no mount and no process outlives it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/packages.sh

home=$PWD/build/next_debian
root=$home/root
packages=("${build_packages[@]}" "${source_packages[@]}" clang zstd)

skip() { echo "skipped: the next Debian was not tried: $*"; exit 77; }

next_suite() {
  local ID='' VERSION_CODENAME=''
  . /etc/os-release
  case $ID-$VERSION_CODENAME in
    debian-bullseye) echo bookworm ;;
    debian-bookworm) echo trixie ;;
    *) return 1 ;;
  esac
}

# The mirror that the machine has this release from.
mirror() {
  local VERSION_CODENAME=''
  . /etc/os-release
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    sed -n "s/^$VERSION_CODENAME main //p" | head -n 1
}

# How the machine's apt gets at its mirrors: proxies, time-outs, whether dates count.
apt_access() { apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-)' || true; }

# All that the chroot is made of: one that was made of other things is made anew.
recipe() { printf '%s\n' "$suite" "$mirror" "$(apt_access)" "${packages[*]}"; }

mount_system() {  # ROOT
  mount -t proc proc "$1/proc"
  mount --bind /dev "$1/dev"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
  cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
}

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }

# "$@" in the copy of the checkout, as a user who has no rights.
as_user() { in_root setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user \
  bash -c 'cd /home/user/llama && exec "$@"' - "$@"; }

make_root() {
  echo "== a chroot of Debian $suite, below ${home#"$PWD"/}"
  rm -rf --one-file-system "$home"
  mkdir -p "$root"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" > "$home/debootstrap.log" 2>&1 ||
    skip "debootstrap $suite $mirror: $(tail -n 1 "$home/debootstrap.log")"
  mount_system "$root"
  apt_access > "$root/etc/apt/apt.conf.d/99access"
  in_root bash -ec 'apt-get update -qq && export DEBIAN_FRONTEND=noninteractive &&
    apt-get install -y -qq --no-install-recommends "$@" > /dev/null' - "${packages[@]}"
  in_root useradd --uid 1000 --create-home user
  recipe > "$home/recipe"
}

# Files that git knows or would know, and none that are gone here; builds and sources there are kept.
copy_checkout() {
  local there=$root/home/user/llama file
  mkdir -p "$there"
  find "$there" -mindepth 1 -maxdepth 1 ! -name build ! -name quickstart.d -exec rm -rf {} +
  git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -L "$file" ] && [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar -c --null -T - | tar -x -C "$there"
  in_root chown -R 1000:1000 /home/user/llama
}

try_it() {  # CTEST-PATTERN
  echo "== Debian $suite: ./quickstart lua5.4 with gcc $(in_root gcc -dumpfullversion)"
  as_user ./quickstart lua5.4
  echo "== Debian $suite: unit tests, and what llama makes of gcc's and clang's command lines"
  as_user cmake --build --preset release -- -j "$(nproc)"
  as_user ctest --test-dir build/release --output-on-failure --parallel 2 -L unit
  as_user ctest --test-dir build/release --output-on-failure -R "$1"
  # Each source alone and without precompiled headers, so that none leans on what another brings along.
  echo "== Debian $suite: built by $(in_root clang --version | head -n 1)"
  as_user env CC=clang CXX=clang++ cmake --preset release -D LLAMA_PCH=OFF -D LLAMA_TOGETHER=1 -B build/clang > "$home/configure-clang.log" ||
    { cat "$home/configure-clang.log" >&2; return 1; }
  as_user cmake --build build/clang -- -j "$(nproc)"
  as_user ctest --test-dir build/clang --output-on-failure --parallel 2 -L unit
}

if [ "${1:-}" != --within ]; then
  [ "$(id -u)" = 0 ] || skip "a chroot needs root"
  command -v debootstrap > /dev/null || skip "no debootstrap here"
  next_suite > /dev/null || skip "no Debian is known to come after this distribution"
  [ -n "$(mirror)" ] || skip "apt has no mirror of this distribution"
  mine=(setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private)
  "${mine[@]}" true 2> /dev/null || skip "namespaces of one's own can't be had"
  exec 9< tools/next_debian.sh
  flock --nonblock 9 || skip "it is being tried already"
  "${mine[@]}" tools/next_debian.sh --within "${1:-e2e\\.commands\\.(gcc|clang)$}"
  exit
fi
suite=$(next_suite) mirror=$(mirror)
if [ "$(cat "$home/recipe" 2> /dev/null)" = "$(recipe)" ]; then mount_system "$root"; else make_root; fi
copy_checkout
try_it "$2"
