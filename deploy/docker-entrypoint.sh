#!/bin/sh
# Entrypoint of the container images. Makes the app directory usable, then becomes the program: signals reach it directly, and every
# argument arrives as it was given.
#
#   docker run IMAGE                      the gateway
#   docker run IMAGE -port 9090 -x "a b"  the gateway with flags
#   docker run IMAGE sh                   any other command
set -eu

program="${BIFROST_PROGRAM:-/app/main}"
user="${BIFROST_USER:-appuser}"
app_dir="${APP_DIR:-/app/data}"
export APP_DIR="$app_dir"

# Flags alone are flags of the gateway.
case "${1:-}" in
  '' | -*) set -- "$program" "$@" ;;
esac

# Any other command is none of our business.
[ "$1" = "$program" ] || exec "$@"

# -app-dir wins over the environment, as in the program.
take_next=''
for argument in "$@"; do
  if [ -n "$take_next" ]; then app_dir="$argument" && take_next=''; fi
  case "$argument" in
    -app-dir | --app-dir) take_next=1 ;;
    -app-dir=* | --app-dir=*) app_dir="${argument#*=}" ;;
  esac
done

mkdir -p "$app_dir/logs" 2>/dev/null || true

if [ "$(id -u)" = 0 ] && id "$user" >/dev/null 2>&1; then
  # Started as root (a volume that root made): hand the directory over and go on without the privilege. Files that belong to
  # the user already are left alone, so that a large volume costs nothing.
  uid="$(id -u "$user")"
  gid="$(id -g "$user")"
  find "$app_dir" ! -user "$user" -exec chown -h "$uid:$gid" {} + 2>/dev/null || true
  # BusyBox has a setpriv that cannot do this.
  if setpriv --reuid "$uid" --regid "$gid" --init-groups true 2>/dev/null; then
    exec setpriv --reuid "$uid" --regid "$gid" --init-groups "$0" "$@"
  elif command -v su-exec >/dev/null; then
    exec su-exec "$user" "$0" "$@"
  fi
  echo "bifrost-http: neither setpriv nor su-exec is here; going on as root" >&2
fi

probe="$app_dir/.write-check.$$"
if [ "${BIFROST_SKIP_WRITE_CHECK:-}" != 1 ] && ! mkdir "$probe" 2>/dev/null; then
  {
    echo "bifrost-http: user $(id -u), group $(id -g) cannot write to $app_dir"
    echo "  Docker:      docker run --user 0 once (the entrypoint then hands the volume over), or chown it on the host"
    echo "  Kubernetes:  securityContext: { runAsUser: $(id -u), fsGroup: $(id -g) }"
    echo "  OpenShift:   make the directory group 0 and group-writable (chgrp -R 0, chmod -R g=u)"
    echo "  read-only on purpose: BIFROST_SKIP_WRITE_CHECK=1"
  } >&2
  exit 1
fi
rmdir "$probe" 2>/dev/null || true

exec "$@"
