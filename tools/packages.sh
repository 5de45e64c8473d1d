# Sourced by ./quickstart and ./check: what they need of Debian 12, Debian 13 or Ubuntu 24.04,
# and installing it.

# To build and to run a build through llama.
build_packages=(build-essential cmake ninja-build pkg-config python3 libgtest-dev libbenchmark-dev
  libzstd-dev zlib1g-dev libssl-dev libsimdjson-dev libcurl4-openssl-dev libpugixml-dev libzip-dev
  libsqlite3-dev libedit-dev)
# To fetch and unpack the source packages of real projects.
source_packages=(ca-certificates dpkg-dev xz-utils bzip2)
# What the checks need besides: a second compiler, and tools that the tested projects use.
check_packages=(clang clang-format zstd googletest tcl util-linux optipng awscli python3-boto3 s3cmd
  autoconf automake libtool protobuf-compiler python3-jsonschema sqlite3)
# By ./check --full alone: clang-tidy, what makes the next Debian's chroot, servers that the S3 client
# is tried against, and a browser with viewers of traces.
full_packages=(clang-tidy debootstrap ceph-mon ceph-osd radosgw ceph-common
  swift-proxy swift-account swift-container swift-object memcached
  chromium fonts-dejavu-core)
kernel_packages=(flex bison bc libelf-dev)

# What clang's libFuzzer and sanitizers are in, unless they are there: the package of the clang that
# is installed, or that comes with the default one.
clang_runtime_package() {
  local version
  version=$(clang -dumpversion 2> /dev/null) || version=
  [ -n "$version" ] || { echo libclang-rt-dev; return 0; }
  compgen -G "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-*.a" > /dev/null ||
    echo "libclang-rt-${version%%.*}-dev"
}

is_installed() {
  # Any version of Tcl will do.
  [ "$1" = tcl ] && command -v tclsh > /dev/null && return
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# Installs those of the named packages that are missing, saying which; needs no root if none is.
install_packages() {
  local package missing=() sudo=()
  command -v dpkg-query > /dev/null || {
    echo "no dpkg here; these Debian packages, or the like, must be there: $*" >&2
    return 0
  }
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing packages: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || {
      echo "not root, and no sudo: please install ${missing[*]}" >&2
      return 1
    }
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" > /dev/null
}

# The package that holds the kernel's source as a tarball, unless one is there.
kernel_source_package() {
  compgen -G '/usr/src/linux-source-*.tar.*' > /dev/null || echo linux-source
}
