#!/usr/bin/env bash
# Everything that has to hold before a change lands, cheapest first after the build. CI runs the same.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

stage() {
  local name=$1 begin=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@" || { printf '\n== %s FAILED\n' "$name" >&2; exit 1; }
  printf '== %s: %d s\n' "$name" $((SECONDS - begin))
}

stage "build" npm run --silent build
stage "types" tsc -p tsconfig.json
stage "types of the kernels" node scripts/types-assembly.mjs
stage "lint" npm run --silent lint
stage "format" prettier --check .
# The files that the build writes are part of the code: without them their sources would look unused.
stage "dead code" knip --no-gitignore --no-progress
stage "tests" vitest run
stage "package: publint" publint --strict
stage "package: public interface" node scripts/api.mjs
stage "package: are the types wrong" attw --pack . --profile esm-only --exclude-entrypoints superlevel.wasm superlevel-relaxed.wasm
stage "size" node scripts/size.mjs
printf '\nall checks passed in %d s\n' "$SECONDS"
