#!/usr/bin/env bash
# The S3 endpoint by the programs that people use, over http and https: boto3, awscli and s3cmd from pip, rclone and restic from Debian,
# AWS's SDK for JavaScript; the web view in Debian's Chromium. A real server on a real store, stopped and started again in between.
# Installs what it needs; ends with the line "s3-clients: N passed, N failed", and each step that failed with what it said.
#   npm run test:s3-clients             all of it
#   npm run test:s3-clients -- 30       with 30 MB instead of 300 in parts, and 500 names instead of 5,000
set -u
cd "$(dirname "$0")/../.." || exit 1
readonly MEGABYTES=${1:-300}
NAMES=$([ "$MEGABYTES" -ge 300 ] && echo 5000 || echo 500)
export NAMES
. test/s3-clients/server.sh

install() {
  if ! command -v rclone >/dev/null || ! command -v restic >/dev/null || ! command -v openssl >/dev/null || ! python3 -c 'import ensurepip' 2>/dev/null || ! command -v chromium >/dev/null; then
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install rclone restic openssl python3-venv chromium fonts-dejavu-core >/dev/null
  fi
  [ -x "$TOOLS/bin/aws" ] || { python3 -m venv "$TOOLS" && "$TOOLS/bin/pip" install -q 'boto3[crt]==1.44.*' 'awscli==1.46.*' 's3cmd==2.4.*'; } || { python3 -m venv --clear "$TOOLS" && "$TOOLS/bin/pip" install -q 'boto3[crt]' awscli s3cmd; }
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
prepare

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
