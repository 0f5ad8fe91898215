#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs everything that unmask needs on Debian 12. Safe to repeat; the second time takes a second.
#   tools/setup.sh          what building and running need
#   tools/setup.sh --tests  and what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

tests=no
case "${1:-}" in
  --tests) tests=yes ;;
  "") ;;
  *) echo "usage: tools/setup.sh [--tests]" >&2; exit 2 ;;
esac

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 1; }

[ "$(uname -m)" = x86_64 ] || fail "this machine is $(uname -m), expected x86_64" "OpenVINO's library is only fetched for x86_64"
command -v apt-get >/dev/null || fail "apt-get is missing" "unmask is set up on Debian 12; elsewhere install the packages of tools/packages.txt by hand"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "packages must be installed" "run as root, install sudo, or install these yourself: $*"
  fi
}

# --- Debian packages -----------------------------------------------------------------------------------------------
wanted() { sed 's/#.*//' "$@" | xargs; }
missing() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
  done
}
lists=(tools/packages.txt)
[ $tests = yes ] && lists+=(tools/packages-test.txt)
# shellcheck disable=SC2046  # one word a package
packages=$(missing $(wanted "${lists[@]}"))
[ $tests = no ] || command -v npm >/dev/null || packages="$packages npm"
if [ -n "${packages// /}" ]; then
  say "installing Debian packages: $(echo "$packages" | xargs)"
  as_root apt-get update -q
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages
fi

mkdir -p third_party
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A folder of third_party is made anew when its recipe changes; a stamp inside it says from what it was made.
fresh() { [ "$(cat "third_party/$1/.stamp" 2>/dev/null)" = "$(cat "${@:2}" | sha256sum)" ]; }
finish() {  # NAME RECIPE...: replaces third_party/NAME by $scratch/NAME in one step
  cat "${@:2}" | sha256sum >"$scratch/$1/.stamp"
  rm -rf "third_party/$1"
  mv "$scratch/$1" "third_party/$1"
}

# npm's client would bring 350 more packages of Debian for two archives. Where it is there, it knows the mirror to ask.
npm_package() {  # NAME, as in tools/npm.lock: unpacks it into $scratch/package
  local name version integrity archive
  read -r name version integrity < <(grep "^$1 " tools/npm.lock)
  archive=$scratch/npm.tgz
  if command -v npm >/dev/null; then
    (cd "$scratch" && mv "$(npm pack --silent "$name@$version")" "$archive")
  else
    curl -fsSL --retry 3 -o "$archive" "https://registry.npmjs.org/$name/-/${name##*/}-$version.tgz"
  fi
  [ "sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)" = "$integrity" ] ||
    fail "$name $version is not the archive that tools/npm.lock names" "try again; if it stays so, do not use it"
  rm -rf "$scratch/package"
  tar -xzf "$archive" -C "$scratch" --no-same-owner
}

# --- OpenVINO: the wheel holds headers, a CMake package and the libraries --------------------------------------------
if ! fresh openvino tools/openvino.lock; then
  say "fetching OpenVINO"
  /usr/bin/python3 -m pip download -q --no-deps --only-binary=:all: --require-hashes --implementation cp \
    --python-version 3.11 --abi cp311 --platform manylinux_2_28_x86_64 -d "$scratch" -r tools/openvino.lock
  mkdir "$scratch/openvino"
  /usr/bin/python3 -m zipfile -e "$scratch"/openvino-*.whl "$scratch/openvino"
  finish openvino tools/openvino.lock
fi

# --- Face detectors --------------------------------------------------------------------------------------------------
detectors=(tools/npm.lock tools/mtcnn.lock tools/mtcnn_networks.py)
if ! fresh detectors "${detectors[@]}"; then
  say "fetching the face detectors"
  npm_package @mediapipe/face_detection
  mkdir "$scratch/detectors"
  install -m 644 "$scratch"/package/face_detection_{full,short}_range.tflite \
    /usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml "$scratch/detectors"
  /usr/bin/python3 -m pip download -q --no-deps --only-binary=:all: --require-hashes -d "$scratch" -r tools/mtcnn.lock
  /usr/bin/python3 tools/mtcnn_networks.py "$scratch"/mtcnn-*.whl "$scratch/detectors"
  finish detectors "${detectors[@]}"
fi

# --- Swagger UI, for /docs: two files that run in the reader's browser -----------------------------------------------
if ! fresh swagger-ui tools/npm.lock; then
  say "fetching Swagger UI"
  npm_package swagger-ui-dist
  mkdir "$scratch/swagger-ui"
  (cd "$scratch/package" &&
    install -m 644 swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css LICENSE NOTICE "$scratch/swagger-ui")
  finish swagger-ui tools/npm.lock
fi

[ $tests = yes ] || exit 0

# --- Test media: a public-domain portrait of NASA, from Debian's python3-skimage (whose code is not needed) ------------
if ! fresh test_media tools/test_media.sha256; then
  say "fetching the test portrait"
  download() { (cd "$scratch" && apt-get -o APT::Sandbox::User=root download -q python3-skimage >/dev/null); }
  download 2>/dev/null || { as_root apt-get update -q && download; }
  dpkg-deb -x "$scratch"/python3-skimage_*.deb "$scratch/skimage"
  mkdir "$scratch/test_media"
  cp "$scratch/skimage/usr/lib/python3/dist-packages/skimage/data/astronaut.png" "$scratch/test_media"
  (cd "$scratch/test_media" && sha256sum -c --quiet "$OLDPWD/tools/test_media.sha256")
  finish test_media tools/test_media.sha256
fi

# --- Clients of Socket.IO in JavaScript --------------------------------------------------------------------------------
if ! fresh test_clients tools/npm-test/package-lock.json; then
  say "fetching the test clients"
  mkdir "$scratch/test_clients"
  cp tools/npm-test/package.json tools/npm-test/package-lock.json "$scratch/test_clients"
  (cd "$scratch/test_clients" && npm ci --ignore-scripts --no-audit --no-fund --silent)
  finish test_clients tools/npm-test/package-lock.json
fi

# --- Python for the functional tests -----------------------------------------------------------------------------------
if [ "$(cat .venv/.stamp 2>/dev/null)" != "$(cat tests/requirements.txt tests/scikit-learn.lock | sha256sum)" ]; then
  say "making the Python environment of the tests"
  rm -rf .venv
  /usr/bin/python3 -m venv .venv
  .venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
  .venv/bin/pip install -q --disable-pip-version-check --only-binary=:all: --require-hashes -r tests/scikit-learn.lock
  cat tests/requirements.txt tests/scikit-learn.lock | sha256sum >.venv/.stamp
fi
