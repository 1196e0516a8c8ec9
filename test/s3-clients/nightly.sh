#!/usr/bin/env bash
# The S3 endpoint by programs that are built from Go modules, which takes too long for every change: mc, s5cmd, Kopia and Litestream, over http
# and https, and the tests that versitygw has of authentication, presigned addresses and bodies in chunks, held against this server. What the module proxy does not have is named and counts as skipped. Ends with "s3-nightly: N passed, N failed, N skipped", and with
# 0 only if something ran and nothing failed.
#   bash test/s3-clients/nightly.sh             all of them
#   bash test/s3-clients/nightly.sh mc kopia    these
set -u
cd "$(dirname "$0")/../.." || exit 1
. test/s3-clients/server.sh
export GOBIN="$TOOLS/go" GOTOOLCHAIN=local CGO_ENABLED=0
PATH="$GOBIN:$PATH:/usr/local/go/bin"
skipped=0

declare -A MODULES=(
  [mc]=github.com/minio/mc@latest
  [s5cmd]=github.com/peak/s5cmd/v2@latest
  [kopia]=github.com/kopia/kopia@v0.21.1
  [litestream]=github.com/benbjohnson/litestream/cmd/litestream@latest
  [versitygw]=github.com/versity/versitygw/cmd/versitygw@v1.8.0
)

# built TOOL: a module with "replace" lines cannot be installed by its name; one of our own that needs it has none of these lines.
built() {
  local module="${MODULES[$1]}"
  go install "$module" && return
  mkdir -p "$work/go-$1" && cd "$work/go-$1" && go mod init "build-$1" && go get -tool "$module" && go build -o "$GOBIN/$1" "${module%@*}"
}

# have TOOL: built before, or now.
have() {
  [ -x "$GOBIN/$1" ] || (built "$1") >"$work/built" 2>&1 && return
  echo "SKIPPED $1: it cannot be built here: $(grep -v downloading "$work/built" | tail -1 | cut -c1-300)"
  skipped=$((skipped + 1))
  return 1
}

by_mc() (
  set -e
  export MC_CONFIG_DIR="$work/mc"
  mkdir -p "$MC_CONFIG_DIR/certs/CAs"
  [ -n "$ca" ] && cp "$ca" "$MC_CONFIG_DIR/certs/CAs/"
  mc -q alias set p "$endpoint" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" --api S3v4 --path on
  mc -q mb "p/mc-$scheme"
  mc -q cp "$work/big" "p/mc-$scheme/big"
  mc -q cp "p/mc-$scheme/big" "$work/back"
  cmp "$work/big" "$work/back"
  mc -q mirror "$work/tree" "p/mc-$scheme/tree"
  [ -z "$(mc -q diff "$work/tree" "p/mc-$scheme/tree")" ]
  [ "$(mc -q ls --recursive "p/mc-$scheme" | wc -l)" = 41 ]
  mc -q cp "p/mc-$scheme/big" "p/mc-$scheme/copy"
  mc -q rm --recursive --force "p/mc-$scheme"
  mc -q rb "p/mc-$scheme"
)

by_s5cmd() (
  set -e
  s5cmd() { command s5cmd --endpoint-url "$endpoint" ${ca:+--no-verify-ssl} "$@"; }
  s5cmd mb "s3://s5cmd-$scheme"
  s5cmd cp "$work/big" "s3://s5cmd-$scheme/big"
  s5cmd cp "s3://s5cmd-$scheme/big" "$work/back"
  cmp "$work/big" "$work/back"
  s5cmd sync "$work/tree/" "s3://s5cmd-$scheme/tree/"
  [ -z "$(s5cmd sync "$work/tree/" "s3://s5cmd-$scheme/tree/")" ]
  [ "$(s5cmd ls "s3://s5cmd-$scheme/*" | wc -l)" = 41 ]
  s5cmd rm "s3://s5cmd-$scheme/*"
  s5cmd rb "s3://s5cmd-$scheme"
)

by_kopia() (
  set -e
  export KOPIA_PASSWORD=secret KOPIA_CONFIG_PATH="$work/kopia-$scheme" KOPIA_CACHE_DIRECTORY="$work/kopia-cache-$scheme" KOPIA_CHECK_FOR_UPDATES=false
  "$TOOLS/bin/aws" --endpoint-url "$endpoint" ${ca:+--ca-bundle "$ca"} s3 mb "s3://kopia-$scheme"
  local tls=(--disable-tls)
  [ -n "$ca" ] && tls=(--root-ca-pem-path "$ca")
  kopia repository create s3 --bucket "kopia-$scheme" --endpoint "${endpoint#*://}" --access-key "$AWS_ACCESS_KEY_ID" --secret-access-key "$AWS_SECRET_ACCESS_KEY" "${tls[@]}"
  kopia snapshot create "$work/tree"
  kopia snapshot create "$work/tree"
  kopia snapshot verify --verify-files-percent 100
  kopia restore "$work/tree" "$work/kopia-restored-$scheme"
  diff -r "$work/tree" "$work/kopia-restored-$scheme"
  kopia maintenance run --full
)

by_litestream() (
  set -e
  local db="$work/litestream-$scheme.db" rows="for i in range(500): c.execute('insert into t values (?)', (i,)); c.commit()"
  python3 -c "import sqlite3; c = sqlite3.connect('$db'); c.execute('pragma journal_mode=wal'); c.execute('create table t (x)'); c.commit()"
  "$TOOLS/bin/aws" --endpoint-url "$endpoint" ${ca:+--ca-bundle "$ca"} s3 mb "s3://litestream-$scheme"
  cat >"$work/litestream.yml" <<CONFIG
dbs:
  - path: $db
    replicas:
      - type: s3
        bucket: litestream-$scheme
        path: db
        endpoint: $endpoint
        region: us-east-1
        force-path-style: true
        skip-verify: true
        sync-interval: 200ms
CONFIG
  litestream replicate -config "$work/litestream.yml" &
  local pid=$!
  trap 'kill $pid 2>/dev/null || true' EXIT
  sleep 2
  python3 -c "import sqlite3; c = sqlite3.connect('$db')
$rows"
  sleep 5
  kill -INT "$pid"
  wait "$pid" || true
  litestream restore -config "$work/litestream.yml" -o "$work/litestream-restored-$scheme.db" "$db"
  [ "$(python3 -c "import sqlite3; print(sqlite3.connect('$work/litestream-restored-$scheme.db').execute('select count(*), sum(x) from t').fetchone())")" = '(500, 124750)' ]
)

# What this server does otherwise on purpose, or not at all (docs/s3.md).
OTHERWISE='credentials_incorrect_region creds_incorrect_region invalid_chunk_size should_calculate_crc64nvme no_payload_trailer_only_headers
  success_both_sdk_algo_and_trailer UploadPart_no_trailer_composite_checksum UploadPart_trailer_and_mp_algo_mismatch UploadPart_success_with_trailer
  UnsignedStreamingPayloadTrailer_not_allowed SignedStreamingPayloadTrailer_success Authentication_date_mismatch incorrect_payload_hash
  invalid_sha256_payload_hash security_token_with_permanent_credentials'

# Each test by its name. They ask for the very words of AWS: other words with its status and code count as the same.
by_versitygw() (
  groups=$(go env GOMODCACHE)/github.com/versity/versitygw@${MODULES[versitygw]##*@}/tests/integration/group-tests.go
  names=$(sed -nE '/^func Test(Presigned)?Authentication\(|^func Test(Uns|S)ignedStreaminPayload(Trailer)?\(/,/^}/s/.*ts\.Run\(([A-Za-z0-9_]*)\).*/\1/p' "$groups")
  [ "$(wc -w <<<"$names")" -gt 70 ] || { echo "its tests are not where they were: $groups"; exit 1; }
  local same=0 worded=0 other=0 wrong=0
  for name in $names; do
    if timeout 60 versitygw test -a "$AWS_ACCESS_KEY_ID" -s "$AWS_SECRET_ACCESS_KEY" -e "$endpoint" ${ca:+--allow-insecure} "$name" >"$work/one" 2>&1; then same=$((same + 1))
    elif grep -q 'expected error message to be' "$work/one"; then worded=$((worded + 1))
    elif grep -qE "($(xargs <<<"$OTHERWISE" | tr ' ' '|'))\$" <<<"$name"; then other=$((other + 1))
    else
      wrong=$((wrong + 1))
      tail -2 "$work/one" | cut -c1-400
    fi
  done
  echo "versitygw: $same as it is asked, $worded in other words, $other otherwise as is known, $wrong wrong" | tee -a "$work/versitygw" >&2
  [ "$wrong" = 0 ]
)

command -v go >/dev/null || { echo 'there is no Go here: install Go 1.24 or newer'; echo 's3-nightly: 0 passed, 1 failed, 0 skipped'; exit 1; }
[ -x "$TOOLS/bin/aws" ] || { python3 -m venv "$TOOLS" && "$TOOLS/bin/pip" install -q awscli; }
mkdir -p "$work/tree/sub"
head -c $((20 * 1000 * 1000)) /dev/urandom >"$work/big"
for i in $(seq 1 40); do head -c $((i * 100)) /dev/urandom >"$work/tree/sub/f $i"; done
prepare
ready=()
for tool in "${@:-mc s5cmd kopia litestream versitygw}"; do for one in $tool; do have "$one" && ready+=("$one"); done; done
for scheme in http https; do
  ca=$([ "$scheme" = https ] && echo "$work/cert.pem")
  export ca scheme
  start "$scheme"
  for one in ${ready[@]+"${ready[@]}"}; do step "$one" "by_$one"; done
  stop
done
[ -f "$work/versitygw" ] && cat "$work/versitygw"
scheme=store step 'doctor finds nothing' pocketful doctor
printf 's3-nightly: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "${#ready[@]}" -gt 0 ]
