# A real server on a real store in a directory of its own, for the clients that are sourced into this: started, stopped, stepped through.
# `work` is the directory; `endpoint`, `admin` and the key in AWS_… are set by then.
readonly TOOLS=${POCKETFUL_S3_TOOLS:-${TMPDIR:-/tmp}/pocketful-s3-tools}
work=$(mktemp -d)
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
unset AWS_PROFILE AWS_CA_BUNDLE AWS_ENDPOINT_URL REQUESTS_CA_BUNDLE
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
passed=0
failed=0

pocketful() { node bin/launch.mjs bin/cli.mjs --store "file:$work/store" "$@"; }

# start SCHEME: waits until the server answers, and sets `endpoint` and `admin`.
start() {
  local tls=()
  [ "$1" = https ] && tls=(--cert "$work/cert.pem" --key "$work/key.pem")
  # Now: the server before this one said something here, which would be read if this one has not begun yet.
  : >"$work/said"
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

# A store, a certificate for https and a key that may do everything.
prepare() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  pocketful init >/dev/null 2>&1 || { echo 'no store'; exit 1; }
  key=$(pocketful --json access add clients --allow all 2>/dev/null)
  AWS_ACCESS_KEY_ID=$(sed 's/.*"id":"\([^"]*\)".*/\1/' <<<"$key")
  AWS_SECRET_ACCESS_KEY=$(sed 's/.*"secret":"\([^"]*\)".*/\1/' <<<"$key")
  export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
}
