# The image alone. Sourced by run.sh.

make_images() {
  local version network=()
  version=$(cd "$repo" && packaging/version)
  revision=$(cd "$repo" && git rev-parse HEAD 2>/dev/null || echo no-repository)
  step "base images"
  want GO_IMAGE "$(sed -n 's/^ARG GO_IMAGE=//p' "$repo/docker/Dockerfile")" standin_golang
  want FREERADIUS_IMAGE "$(image_of freeradius)" standin_freeradius
  want PROMETHEUS_IMAGE "$(image_of prometheus)" standin_prometheus
  want PAUSE_IMAGE "$(image_of pod)" standin_pause
  step "building the image"
  # A substitute contains the modules; the build must not fetch any.
  [ ${#made_images[@]} = 0 ] || network=(--network none)
  docker build "${network[@]}" -f "$repo/docker/Dockerfile" --force-rm \
    --build-arg GO_IMAGE="$GO_IMAGE" --build-arg VERSION="$version" --build-arg REVISION="$revision" -t "$image" "$repo" >"$work/build" 2>&1 || { cat "$work/build" >&2 && die "docker build"; }
  ok "the image builds"
  check "it knows its version, $version" grep -qx "radsec-gw $version" <(docker run --rm "$image" version)
  check "and its commit, $revision" grep -qx "commit $revision" <(docker run --rm "$image" version)
}

# image_of SERVICE prints the image that compose.yaml names.
image_of() { sed -n "/^  $1:/,/image:/s/^ *image: *\\\${[A-Z]*_IMAGE:-\\(.*\\)}/\\1/p" "$repo/docker/compose.yaml"; }

# of_image FORMAT prints what the image's configuration says.
of_image() { docker image inspect -f "$1" "$image"; }

# from_image FILE prints a file of the image.
from_image() {
  local id
  id=$(docker create "$image")
  docker cp "$id:$1" - | tar -xO
  docker rm "$id" >/dev/null
}

test_image() {
  local bytes
  step "the image"
  bytes=$(of_image '{{.Size}}')
  check "it has $bytes octets, below 22 MB" test "$bytes" -lt 22000000
  check "its user is a number and not root" grep -Eqx '[1-9][0-9]*:[1-9][0-9]*' <(of_image '{{.Config.User}}')
  check "it has a version label" test -n "$(of_image '{{index .Config.Labels "org.opencontainers.image.version"}}')"
  check "its SBOM is of this program" test "$(from_image /sbom.cdx.json | sed -n 's/.*"content": "\(.*\)"$/\1/p' | head -1)" = \
    "$(from_image /radsec-gw | sha256sum | cut -d' ' -f1)"
  check "and its commit as a label" test "$(of_image '{{index .Config.Labels "org.opencontainers.image.revision"}}')" = "$revision"
  check "its ports are 2083 and 9713" test "$(of_image '{{len .Config.ExposedPorts}}')" = 2
  check "it contains the program, its SBOM and empty folders only" test "$(docker export "$(docker create "$image")" | tar -t | grep -vE '^(\.dockerenv|dev/.*|etc/.*|proc/|sys/|certs/|ca/|run/|run/radsec-gw/|var/|var/lib/|var/lib/radsec-gw/)$' | sort | tr '\n' ' ')" = "radsec-gw sbom.cdx.json "
  docker rm $(docker ps -aq --filter "ancestor=$image") >/dev/null
  if docker run --rm --entrypoint /bin/sh "$image" -c true >"$work/out" 2>&1; then die "it has a shell"; fi
  ok "it has no shell"
  check "it runs with a read-only root, without capabilities and without network" \
    docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none "$image" version
  docker volume create --label "com.docker.compose.project=$name" "${name}_empty" >/dev/null
  check "a new volume at /var/lib/radsec-gw is its user's to write" docker run --rm --read-only --cap-drop ALL --network none \
    -v "${name}_empty:/var/lib/radsec-gw" "$image" certs -dir /var/lib/radsec-gw/trial
  echo a-secret-for-this-test >"$work/secret"
  check "check accepts the stack's configuration" docker run --rm --network none \
    -v "$(certificates_volume):/certs" -v "$repo/docker/radsec-gw.toml:/etc/radsec-gw/radsec-gw.toml:ro" \
    -v "$work/secret:/run/secrets/freeradius-udp:ro" \
    "$image" check -config /etc/radsec-gw/radsec-gw.toml
}

# certificates_volume makes the volume as compose.yaml's certs service does and prints its name.
certificates_volume() {
  local volume=${name}_trial
  docker volume create --label "com.docker.compose.project=$name" "$volume" >/dev/null
  docker volume create --label "com.docker.compose.project=$name" "${volume}_ca" >/dev/null
  docker run --rm --network none --read-only -v "$volume:/certs" -v "${volume}_ca:/ca" "$image" certs -dir /certs -ca-key /ca/ca.key >/dev/null
  echo "$volume"
}
