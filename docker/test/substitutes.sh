# Stand-ins for the base images, for machines that reach no image registry:
# images under the same names, made of the installed Go and of Debian's
# packages. Sourced by run.sh. The Dockerfile and compose.yaml know nothing of
# them. An image that is there already is used as it is; PULL=1 pulls instead.

# KEEP=1 keeps the substitutes and the build's layers for the next run: for work on these tests.

# What the substitutes are made of.
stamp=$(cat "$repo/go.mod" "$repo/go.sum" "$repo/packaging/sbom/go.sum" "$here/substitutes.sh" | sha256sum | cut -c1-16)

# has_image NAME: true when it is there and not a substitute.
has_image() {
  [ "$(docker image inspect -f '{{index .Config.Labels "radsec-gw.substitute"}}' "$1" 2>/dev/null || echo missing)" = "" ]
}

# want VARIABLE NAME FUNCTION: makes sure that there is an image, by the substitute's function
# if need be. A substitute cannot have the digest of NAME: VARIABLE is exported without it.
want() {
  local variable=$1
  shift
  has_image "$1" || [ "${PULL:-}" = 1 ] || set -- "${1%@*}" "$2"
  export "$variable=$1"
  if has_image "$1"; then
    echo "   $1: there already"
  elif [ "${KEEP:-}" = 1 ] && [ "$(docker image inspect -f '{{index .Config.Labels "radsec-gw.substitute"}}' "$1" 2>/dev/null)" = "$stamp" ]; then
    made_images+=("$1")
    echo "   $1: a substitute kept"
  elif [ "${PULL:-}" = 1 ]; then
    docker pull -q "$1"
  else
    root=$work/root
    rm -rf "$root" && mkdir -p "$root"
    changes=()
    "$2"
    tar -C "$root" -c . | docker import --change "LABEL radsec-gw.substitute=$stamp" "${changes[@]}" - "$1" >/dev/null
    made_images+=("$1")
    rm -rf "$root"
    echo "   $1: a substitute"
  fi
}

# install_programs PROGRAM...: copies programs and the libraries that they need into $root.
install_programs() {
  local file
  mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/tmp" "$root/etc"
  chmod 1777 "$root/tmp"
  [ -e "$root/bin" ] || ln -s usr/bin usr/lib usr/lib64 "$root/"
  for file in "$@"; do
    {
      echo "$file"
      ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true # a static program has none
    } | while read -r f; do
      install -D "$f" "$root$f" 2>/dev/null || cp -n "$f" "$root$f"
    done
  done
}

# The Go tree, a shell, and the modules that go.mod names, fetched before: the
# build needs no network.
standin_golang() {
  install_programs /usr/bin/dash /usr/bin/mkdir
  ln -sf dash "$root/usr/bin/sh"
  mkdir -p "$root/usr/local" "$root/go/pkg/mod/cache"
  cp -a "$(go env GOROOT)" "$root/usr/local/go"
  rm -rf "$root/usr/local/go/"{test,doc,api,misc}
  for f in "$repo" "$repo/packaging/sbom"; do GOMODCACHE=$root/go/pkg/mod GOFLAGS=-modcacherw go -C "$f" mod download; done
  changes=(--change 'ENV PATH=/usr/local/go/bin:/usr/bin GOPATH=/go GOTOOLCHAIN=local GOFLAGS=-mod=mod')
}

# Debian's freeradius with its modules and dictionaries.
standin_freeradius() {
  local f
  install_programs /usr/bin/dash /usr/bin/{cat,mkdir,od,chown,chmod,mv} /usr/sbin/freeradius /usr/lib/freeradius/*.so \
    /usr/lib/*/ossl-modules/legacy.so
  ln -sf dash "$root/usr/bin/sh"
  mkdir -p "$root/usr/sbin" "$root/usr/share/freeradius" "$root/etc"
  [ -e "$root/sbin" ] || ln -s usr/sbin "$root/sbin"
  cp -aL /usr/share/freeradius/. "$root/usr/share/freeradius/"
  printf 'root:x:0:0::/:/bin/sh\nfreerad:x:101:101::/:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nfreerad:x:101:\n' >"$root/etc/group"
  : >"$root/etc/hosts"
  changes=(--change 'CMD ["freeradius"]' --change 'ENV PATH=/usr/sbin:/usr/bin' --change 'EXPOSE 1812/udp 1813/udp')
}

# Debian's prometheus, laid out as in the official image.
standin_prometheus() {
  install_programs /usr/bin/prometheus
  mkdir -p "$root/prometheus"
  chown 65534:65534 "$root/prometheus"
  printf 'nobody:x:65534:65534::/:/\n' >"$root/etc/passwd"
  changes=(--change 'ENTRYPOINT ["/usr/bin/prometheus"]' --change 'USER 65534:65534' --change 'WORKDIR /prometheus')
}

# A program that waits to be stopped.
standin_pause() {
  CGO_ENABLED=0 go build -C "$here" -o "$root/pause" ./pause
  changes=(--change 'ENTRYPOINT ["/pause"]' --change 'USER 65535:65535')
}
