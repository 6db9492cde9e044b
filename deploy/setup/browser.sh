#!/usr/bin/env bash
# Says where Chromium is, on one line. Installs it from Debian where it may and must; only the tests of other people's
# clients in a browser need it.
set -euo pipefail

names=(chromium chromium-browser google-chrome)
debian_packages=(chromium)

found() {
  local name
  for name in "${names[@]}"; do command -v "$name" && return 0; done
  return 1
}

install_from_debian() {
  command -v apt-get >/dev/null || return 1
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  echo "setup: installing ${debian_packages[*]}" >&2
  "${as_root[@]}" apt-get update -qq >&2 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${debian_packages[@]}" >/dev/null
}

if found; then exit 0; fi
install_from_debian || true
if found; then exit 0; fi
echo "setup: Chromium is missing; install it (Debian: ${debian_packages[*]})" >&2
exit 1
