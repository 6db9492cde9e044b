#!/usr/bin/env bash
# Puts Apache Kafka's jars into .local/kafka/libs. Installs Java and Maven from Debian where it may and must.
set -euo pipefail
cd "$(dirname "$0")/../.."

java_least=17
debian_packages=(openjdk-17-jre-headless maven)

has_java() {
  local java=java
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then java="$JAVA_HOME/bin/java"; fi
  command -v "$java" >/dev/null || return 1
  local major
  major="$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)"
  [ -n "$major" ] && [ "$major" -ge "$java_least" ]
}

has_both() { has_java && command -v mvn >/dev/null; }

install_from_debian() {
  command -v apt-get >/dev/null || return 1
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  echo "setup: installing ${debian_packages[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${debian_packages[@]}" >/dev/null
}

if ! has_both; then install_from_debian || true; fi
if ! has_both; then
  echo "setup: Java $java_least+ and Maven are missing; install them (Debian: ${debian_packages[*]})" \
    "or set KAFKA_BOOTSTRAP to a Kafka you have" >&2
  exit 1
fi

# Into a folder beside, then renamed: an interrupted download leaves nothing that looks whole.
libs=.local/kafka/libs
mkdir -p .local/kafka
rm -rf "$libs.new"
mvn --quiet --batch-mode -Dstyle.color=never --file deploy/kafka/pom.xml dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$PWD/$libs.new"
rm -rf "$libs"
mv "$libs.new" "$libs"
