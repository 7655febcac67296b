#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the peers that compare_peers.py measures hanse against, in the
# folder build/peers; none of them is part of hanse or of its tests.
#
#   bench/peers/install.sh [--r] [FOLDER]
#
# DuckDB and Polars come from npm, by the names below; with --r also data.table
# and rhdf5 from Debian. numpy, pandas and h5py are Debian's python3-...
# packages, which ./dev deps installs for the tests.
set -euo pipefail

r=no
if [ "${1:-}" = --r ]; then
    r=yes
    shift
fi
folder=${1:-build/peers}

# Polars' library has to be named: with old versions of Node, npm leaves it out
# silently. DuckDB's brings libduckdb.so, which Python loads.
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --no-audit --no-fund \
    @duckdb/node-api nodejs-polars nodejs-polars-linux-x64-gnu

if [ $r = yes ]; then
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get install -y --no-install-recommends \
        r-base-core r-cran-data.table r-bioc-rhdf5
fi
