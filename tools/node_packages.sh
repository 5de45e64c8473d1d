#!/usr/bin/env bash
# Installs the npm packages that some tests look for, pinned, into a build folder:
#
#   tools/node_packages.sh build/release      makes build/release/node_modules
#
# Those tests are skipped, and say so, where the packages are not there.
set -euo pipefail

packages=(
  @aws-sdk/client-s3@3.1169.0
  @aws-sdk/client-lambda@3.1164.0
  @vercel/fun@1.3.6
  serverless@3.40.0
  serverless-offline@13.10.1
  @duckdb/node-bindings-linux-x64@1.5.4-r.1
  hyparquet@1.26.0
  @opentelemetry/otlp-transformer@0.57.2
  @paulirish/trace_engine@0.0.65
  speedscope@1.25.0
  playwright-core@1.65.1
)
# Has a part that is compiled here, with node-gyp, autoconf, automake, libtool and cmake.
native_packages=(
  aws-lambda-ric@3.3.0
)

[ $# = 1 ] || { sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
command -v npm > /dev/null || { echo "no npm here: tests with node are skipped"; exit 0; }
mkdir -p "$1"
cd "$1"
[ -f package.json ] || echo '{"private": true}' > package.json
npm install --no-audit --no-fund --no-save --loglevel=error "${packages[@]}"
npm install --no-audit --no-fund --no-save --loglevel=error "${packages[@]}" "${native_packages[@]}" ||
  echo "${native_packages[*]}: cannot be built here; tests with it are skipped"
