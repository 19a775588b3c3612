# Docker's engine, by its client on the host.

# What an engine says instead of an answer: WHAT IT SAID. Answers `gone` where the object cannot stand.
docker_trouble() {
  case $1 in
    *[Nn]"o such"* | *"not found"*) gone ;;
    *"Worker nodes can't"*) problem "the host is a worker of its swarm: name one of its managers as \`host\`" ;;
    # In no swarm nothing of a swarm stands.
    *"not a swarm manager"*) gone ;;
    *"Cannot connect"* | *"ermission denied"*) problem "Docker does not answer: start it (\`systemctl start docker\`), and be root there. $1" ;;
    *) problem "$1" ;;
  esac
}
# Puts an object as JSON: KIND NAME. A host without Docker has none.
docker_show() {
  command -v docker >/dev/null 2>&1 || { gone; return 1; }
  if docker_json=$(docker "$1" inspect --format '{{json .}}' -- "$2" 2>/dev/null); then
    printf '%s' "$docker_json" | put_stream json
  else
    docker_trouble "$(docker "$1" inspect -- "$2" 2>&1)"
    return 1
  fi
}
# One request to the engine: METHOD PATH [HEADER]. What is on standard input goes along with it. The answer is in
# docker_answer. The client's `dial-stdio` is the way: it is there wherever the client is, and takes any request.
docker_call() {
  need docker
  docker_body=$(cat)
  docker_header=${3:+$3"$(printf '\r')$newline"}
  docker_folder=$(mktemp -d) || fail "no folder can be made in \`${TMPDIR:-/tmp}\`"
  mkfifo "$docker_folder/in" || fail "no pipe can be made in \`$docker_folder\`"
  # Open in both directions: what has no end does not end the request before its answer.
  exec 8<>"$docker_folder/in"
  rm -r -- "$docker_folder"
  printf '%s %s HTTP/1.0\r\nHost: docker\r\n%sContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
    "$1" "$2" "$docker_header" "${#docker_body}" "$docker_body" >&8 &
  docker_answer=$(docker system dial-stdio <&8 2>&1 | tr -d '\r')
  kill "$!" 2>/dev/null || :
  exec 8>&-
  docker_status=${docker_answer#HTTP/1.? }
  docker_status=${docker_status%%[!0-9]*}
  docker_answer=${docker_answer#*"$newline$newline"}
  case $docker_status in
    2*) return 0 ;;
    '') docker_message="Docker does not answer: $docker_answer"; return 1 ;;
  esac
  docker_message=${docker_answer#*\"message\":\"}
  docker_message=${docker_message%\"*}
  return 1
}
# The same, where it must succeed: WHAT METHOD PATH [HEADER].
docker_must() {
  docker_what=$1
  shift
  docker_call "$@" || fail "$docker_what: $docker_message"
}
# Words @formwork-KIND:NAME@ of standard input become ids: KIND:NAME...
docker_ids() {
  docker_text=$(cat)
  for docker_word in "$@"; do
    docker_id=$(docker "${docker_word%%:*}" inspect --format '{{.ID}}' -- "${docker_word#*:}" 2>/dev/null) ||
      fail "the swarm has no ${docker_word%%:*} \`${docker_word#*:}\`"
    docker_text=$(printf '%s' "$docker_text" | sed "s/@formwork-$docker_word@/$docker_id/g")
  done
  printf '%s' "$docker_text"
}
# Whether an object is there: KIND NAME.
docker_has() { docker "$1" inspect -- "$2" >/dev/null 2>&1; }
# The state of the host in a swarm: docker_state, docker_manager (true or false), docker_node.
docker_swarm() {
  docker_self=$(docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.NodeID}}' 2>&1) || return 1
  docker_state=${docker_self%% *}
  docker_node=${docker_self##* }
  docker_manager=${docker_self#* }
  docker_manager=${docker_manager%% *}
}
# The tasks that should run on a node: NODE.
docker_tasks() { docker node ps --filter desired-state=running --format '{{.CurrentState}}' "$1" 2>/dev/null | grep -c -i '^running' || :; }
# Changes a node from a manager: NODE, its specification on standard input. Others change nodes, too.
docker_node_update() {
  docker_spec=$(cat)
  docker_tries=0
  while :; do
    docker_version=$(docker node inspect --format '{{.Version.Index}}' "$1" 2>&1) || fail "the swarm has no node \`$1\`: $docker_version"
    if printf '%s' "$docker_spec" | { docker_call POST "/nodes/$1/update?version=$docker_version" || { printf '%s\n' "$docker_message" >&2; exit 1; }; }; then return 0; fi
    docker_tries=$((docker_tries + 1))
    [ "$docker_tries" -lt 10 ] || fail "the node \`$1\` cannot be changed"
    sleep 0.3
  done
}
# Waits until nothing runs on a node any more: NODE SECONDS.
docker_drained() {
  docker_until=$(($(date +%s) + $2))
  while [ "$(docker_tasks "$1")" != 0 ]; do
    [ "$(date +%s)" -lt "$docker_until" ] || fail "after $2 s there still run $(docker_tasks "$1") tasks on node \`$1\`: nothing else may take them over"
    sleep 0.5
  done
}
