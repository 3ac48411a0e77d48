#!/bin/sh
# Install what the tests against a real CKAN and a real S3 server need: Debian's packages, which takes root, and CKAN in a venv of its own.
# Usage: sh tests/portals/install.sh FOLDER
set -eu
folder=$1
here=$(dirname "$0")
mkdir -p "$folder"
for program in radosgw ceph-mon ceph-osd redis-server; do
    if ! command -v "$program" >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common redis-server postgresql
        break
    fi
done
if [ ! -x "$folder/ckan-venv/bin/ckan" ]; then
    python3 -m venv "$folder/ckan-venv"
    "$folder/ckan-venv/bin/pip" install --quiet -r "$here/ckan-requirements.txt"
fi
