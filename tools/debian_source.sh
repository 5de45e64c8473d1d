#!/usr/bin/env bash
# Unpacks Debian or Ubuntu source packages as their authors released them, without the
# distribution's patches (redis with them no longer links with the allocator that it bundles). Uses
# the machine's own apt sources and changes nothing on the system: a private apt configuration below
# the target folder asks the same mirrors for sources. Needs dpkg-dev, no root.
#
#   debian_source.sh DIR PACKAGE...    unpacks to DIR/PACKAGE (kept if it is there already)
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: $0 DIR PACKAGE..." >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift
apt=$dir/.apt

# Every deb822 stanza of the distribution as a deb-src one. A security archive need not keep every
# source, and its fixes come to the other suites too: it is left out.
deb822_sources() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] || continue
    # A comment between two fields would otherwise be part of the stanza that awk sees.
    sed '/^#/d' "$file" | awk -v RS= -v ORS='\n\n' '
      /(debian|ubuntu)/ && !/(^|\n)Enabled: *no/ {
        sub(/Types:[^\n]*/, "Types: deb-src")
        gsub(/[^ \n]*-security/, "")
        if ($0 ~ /Suites: *[a-z]/) print
      }'
  done
}

# The same for the one-line format; options in [brackets] are kept.
one_line_sources() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null || true; } |
    sed -nE '/-security/d; s/^deb(-src)?[[:space:]]+((\[[^]]*\][[:space:]]+)?[^[:space:]]*(debian|ubuntu)[^[:space:]]*[[:space:]].*)/deb-src \2/p' |
    sort -u
}

configure_apt() {
  mkdir -p "$apt/parts" "$apt/lists/partial"
  deb822_sources > "$apt/parts/distribution.sources"
  one_line_sources > "$apt/parts/distribution.list"
  [ -s "$apt/parts/distribution.sources" ] || rm "$apt/parts/distribution.sources"
  [ -s "$apt/parts/distribution.list" ] || rm "$apt/parts/distribution.list"
  [ -n "$(ls "$apt/parts")" ] || { echo "$0: no apt source of the distribution found" >&2; exit 1; }
}

private_apt() {
  local user
  user=$(id -un)
  apt-get -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/parts" \
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= -o "APT::Sandbox::User=$user" -o Acquire::Languages=none "$@"
}

# The folder appears whole or not at all, so that an interrupted run is simply repeated.
unpack() {
  local package=$1 scratch=$dir/.unpack-$1
  rm -rf "$scratch"
  mkdir "$scratch"
  (
    cd "$scratch"
    private_apt source -qq --download-only "$package"
    dpkg-source --no-check --skip-patches -x ./*.dsc tree > /dev/null
  )
  mv "$scratch/tree" "$dir/$package"
  rm -rf "$scratch"
}

exec 9> "$dir/.lock"
flock 9
for package in "$@"; do
  [ -d "$dir/$package" ] && continue
  if [ ! -e "$apt/updated" ]; then
    configure_apt
    # Another repository's failing here need not matter: what is missing shows below.
    private_apt update -qq || echo "$0: apt could not update every source list" >&2
    touch "$apt/updated"
  fi
  unpack "$package"
done
