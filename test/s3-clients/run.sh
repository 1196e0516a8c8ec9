#!/usr/bin/env bash
# The S3 endpoint by the programs that people use, over http and https: boto3, awscli and s3cmd from pip, rclone and restic from Debian,
# AWS's SDK for JavaScript; the web view in Debian's Chromium. A real server on a real store, stopped and started again in between. Installs what it needs; ends with the line
# "s3-clients: N passed, N failed", and each step that failed with what it said.
#   npm run test:s3-clients             all of it
#   npm run test:s3-clients -- 30       with 30 MB instead of 300 in parts, and 500 names instead of 5,000
set -u
cd "$(dirname "$0")/../.." || exit 1
readonly MEGABYTES=${1:-300}
NAMES=$([ "$MEGABYTES" -ge 300 ] && echo 5000 || echo 500)
export NAMES
readonly TOOLS=${POCKETFUL_S3_TOOLS:-${TMPDIR:-/tmp}/pocketful-s3-tools}
work=$(mktemp -d)
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
unset AWS_PROFILE AWS_CA_BUNDLE AWS_ENDPOINT_URL REQUESTS_CA_BUNDLE
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
passed=0
failed=0

install() {
  if ! command -v rclone >/dev/null || ! command -v restic >/dev/null || ! command -v openssl >/dev/null || ! python3 -c 'import ensurepip' 2>/dev/null || ! command -v chromium >/dev/null; then
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install rclone restic openssl python3-venv chromium fonts-dejavu-core >/dev/null
  fi
  [ -x "$TOOLS/bin/aws" ] || { python3 -m venv "$TOOLS" && "$TOOLS/bin/pip" install -q 'boto3[crt]==1.44.*' 'awscli==1.46.*' 's3cmd==2.4.*'; } || { python3 -m venv --clear "$TOOLS" && "$TOOLS/bin/pip" install -q 'boto3[crt]' awscli s3cmd; }
}

pocketful() { node bin/launch.mjs bin/cli.mjs --store "file:$work/store" "$@"; }

# start SCHEME: waits until the server answers, and sets `endpoint` and `admin`.
start() {
  local tls=()
  [ "$1" = https ] && tls=(--cert "$work/cert.pem" --key "$work/key.pem")
  node bin/launch.mjs bin/cli.mjs --store "file:$work/store" --json serve --port 0 --admin-port 0 "${tls[@]}" >"$work/said" 2>>"$work/talk" &
  server=$!
  for _ in $(seq 1 150); do
    endpoint=$(sed -n 's/.*"endpoint":"\([^"]*\)".*/\1/p' "$work/said")
    admin=$(sed -n 's/.*"admin":"\([^"]*\)".*/\1/p' "$work/said")
    [ -n "$endpoint" ] && export endpoint && return
    sleep 0.2
  done
  echo 'the server did not start'; cat "$work/talk"; exit 1
}

stop() {
  kill -TERM "$server"
  wait "$server"
  server=
}

# step NAME COMMAND…
step() {
  local name="$scheme $1" started=$SECONDS
  shift
  if "$@" >"$work/out" 2>&1; then
    passed=$((passed + 1))
    echo "ok     $name ($((SECONDS - started)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED $name"
    tail -40 "$work/out" | cut -c1-400
  fi
}

by_aws() (
  set -e
  aws() { "$TOOLS/bin/aws" --endpoint-url "$endpoint" ${ca:+--ca-bundle "$ca"} "$@"; }
  aws s3 mb "s3://aws-$scheme"
  aws s3 cp --no-progress "$work/big" "s3://aws-$scheme/big"
  aws s3 cp --no-progress "s3://aws-$scheme/big" "$work/back"
  cmp "$work/big" "$work/back"
  aws s3 sync --no-progress "$work/tree" "s3://aws-$scheme/tree"
  [ -z "$(aws s3 sync "$work/tree" "s3://aws-$scheme/tree")" ]
  aws s3 cp --no-progress "s3://aws-$scheme/big" "s3://aws-$scheme/copy"
  [ "$(aws s3 ls --recursive "s3://aws-$scheme" | wc -l)" = 42 ]
  aws s3 rm --only-show-errors --recursive "s3://aws-$scheme"
  aws s3 rb "s3://aws-$scheme"
)

by_s3cmd() (
  set -e
  local host=${endpoint#*://}
  s3cmd() {
    "$TOOLS/bin/s3cmd" -c /dev/null -q --host="$host" --host-bucket="$host" --access_key="$AWS_ACCESS_KEY_ID" --secret_key="$AWS_SECRET_ACCESS_KEY" \
      $([ "$scheme" = https ] && echo "--ssl --ca-certs=$ca" || echo --no-ssl) "$@"
  }
  s3cmd mb "s3://s3cmd-$scheme"
  s3cmd put "$work/big" "s3://s3cmd-$scheme/big"
  s3cmd get --force "s3://s3cmd-$scheme/big" "$work/back"
  cmp "$work/big" "$work/back"
  s3cmd sync "$work/tree/" "s3://s3cmd-$scheme/tree/"
  [ "$(s3cmd ls -r "s3://s3cmd-$scheme" | wc -l)" = 41 ]
  s3cmd sync "s3://s3cmd-$scheme/tree/" "$work/synced-$scheme/"
  diff -r "$work/tree" "$work/synced-$scheme"
  s3cmd cp "s3://s3cmd-$scheme/big" "s3://s3cmd-$scheme/copy"
  s3cmd info "s3://s3cmd-$scheme/copy"
  s3cmd del -r --force "s3://s3cmd-$scheme/"
  s3cmd rb "s3://s3cmd-$scheme"
)

by_rclone() (
  set -e
  printf '[p]\ntype = s3\nprovider = Other\nendpoint = %s\naccess_key_id = %s\nsecret_access_key = %s\n' "$endpoint" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$work/rclone.conf"
  rclone() { command rclone --config "$work/rclone.conf" ${ca:+--ca-cert "$ca"} --s3-upload-cutoff 6M --s3-chunk-size 6M "$@"; }
  rclone mkdir "p:rclone-$scheme"
  rclone sync "$work/tree" "p:rclone-$scheme/tree"
  rclone sync -v "$work/tree" "p:rclone-$scheme/tree" 2>&1 | grep -q '40 / 40, 100%'
  rclone copy "$work/big" "p:rclone-$scheme/"
  rclone check --download "$work/tree" "p:rclone-$scheme/tree"
  rclone check --download "$work" "p:rclone-$scheme" --include /big
  rclone moveto "p:rclone-$scheme/big" "p:rclone-$scheme/moved"
  [ "$(rclone lsf "p:rclone-$scheme")" = "$(printf 'moved\ntree/')" ]
  rclone purge "p:rclone-$scheme"
)

by_restic() (
  set -e
  export RESTIC_PASSWORD=secret
  restic() { command restic -q --no-cache ${ca:+--cacert "$ca"} -r "s3:$endpoint/restic-$scheme" "$@"; }
  restic init
  restic backup "$work/tree" "$work/big"
  restic backup "$work/tree"
  restic check --read-data
  restic restore latest --target "$work/restored-$scheme"
  diff -r "$work/tree" "$work/restored-$scheme$work/tree"
  restic forget --keep-last 1 --prune
  restic check
)

by_boto3() { "$TOOLS/bin/python" test/s3-clients/boto3-client.py "$scheme" "$work/large"; }

by_sdk() { NODE_EXTRA_CA_CERTS=$ca node bin/launch.mjs test/s3-clients/sdk-client.ts "$scheme"; }

install || { echo 's3-clients: 0 passed, 1 failed'; exit 1; }
mkdir -p "$work/tree/sub"
head -c $((20 * 1000 * 1000)) /dev/urandom >"$work/big"
head -c $((MEGABYTES * 1000 * 1000)) /dev/urandom >"$work/large"
for i in $(seq 1 40); do head -c $((i * 100)) /dev/urandom >"$work/tree/sub/f $i"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
pocketful init >/dev/null 2>&1 || { echo 'no store'; exit 1; }
key=$(pocketful --json access add clients --allow all 2>/dev/null)
AWS_ACCESS_KEY_ID=$(sed 's/.*"id":"\([^"]*\)".*/\1/' <<<"$key")
AWS_SECRET_ACCESS_KEY=$(sed 's/.*"secret":"\([^"]*\)".*/\1/' <<<"$key")
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

by_chromium() { node bin/launch.mjs test/s3-clients/web-view.ts "$admin" ${POCKETFUL_SCREENSHOTS:+"$POCKETFUL_SCREENSHOTS"}; }

for scheme in http https; do
  ca=$([ "$scheme" = https ] && echo "$work/cert.pem")
  export ca scheme
  start "$scheme"
  step boto3 by_boto3
  step 'SDK for JavaScript' by_sdk
  step awscli by_aws
  [ "$scheme" = http ] && step 'the web view in Chromium' by_chromium
  stop
  start "$scheme"
  step 'boto3 after a restart' "$TOOLS/bin/python" test/s3-clients/boto3-client.py "$scheme" "$work/large" again
  step s3cmd by_s3cmd
  step rclone by_rclone
  step restic by_restic
  stop
done
if grep -q 'request .* failed' "$work/talk"; then
  failed=$((failed + 1))
  echo 'FAILED faults that nobody expected:'
  grep 'request .* failed' "$work/talk" | head
fi
scheme=store step 'doctor finds nothing' pocketful doctor
printf 's3-clients: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
