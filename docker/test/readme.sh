# The commands of docker/README.md as they stand there, from the repository's folder.
# Sourced by run.sh.

# readme PATTERN prints the block of commands that has a line with it, readme_line that line.
readme() {
  awk -v pattern="$1" '/^```/ { if (found) exit; inside = /^```sh/; block = ""; next }
    inside { block = block $0 "\n"; if ($0 ~ pattern) found = 1 }
    END { printf "%s", block }' "$repo/docker/README.md"
}
readme_line() { grep -m 1 "$1" <<<"$(readme "$1")"; }

# as_readme COMMANDS runs them. Compose gets the test's project and its second file, and as
# docker-compose, where the machine has that one, no terminal.
as_readme() {
  (
    cd "$repo"
    docker() {
      if [ "$1" != compose ]; then
        command docker "$@"
        return
      fi
      shift
      [ "${compose[0]}" = docker ] || [ "$3" != exec ] || set -- "$1" "$2" "$3" -T "${@:4}"
      "${compose[@]}" -p "$name" "$1" "$2" -f "$work/spool.yaml" "${@:3}"
    }
    set -eu
    eval "$1"
  )
}

# A client of one's own, with a certificate made in the stack.
test_own_client() {
  step "a client of one's own"
  as_readme "$(readme 'run --rm certs' | sed "s# \\.;# '$work';#")" >"$work/out" 2>&1 || { cat "$work/out" >&2 && die "the README's commands for a client"; }
  check "the README's commands make its certificate, and it connects with it" "$work/radsec-gw" probe status -quiet \
    -address "127.0.0.1:$RADSEC_GW_PORT" -cert "$work/my-controller.pem" -key "$work/my-controller.key" -ca "$work/ca.pem"
}
