# A host as a node of a swarm, seen by itself and by a manager.
onprem_swarm_node_self() {
  command -v docker >/dev/null 2>&1 || { put state none; return; }
  docker_swarm || { docker_trouble "$docker_self"; return; }
  put state "$docker_state"
  put node_id "$docker_node"
}
# All nodes, a line of JSON each.
onprem_swarm_node_all() {
  command -v docker >/dev/null 2>&1 || { problem "the manager has no Docker"; return; }
  node_ids=$(docker node ls -q 2>&1) || {
    case $node_ids in
      # In no swarm there are no nodes.
      *"not a swarm manager"*) case $node_ids in *"Worker nodes can't"*) docker_trouble "$node_ids" ;; *) put swarm none ;; esac ;;
      *) docker_trouble "$node_ids" ;;
    esac
    return
  }
  put address "$(docker info --format '{{.Swarm.NodeAddr}}')"
  docker node inspect --format '{"ID":{{json .ID}},"Spec":{{json .Spec}},"Status":{{json .Status}}}' $node_ids | put_stream nodes
}
# What a node of a role joins with: ROLE.
onprem_swarm_node_token() {
  node_token=$(docker swarm join-token -q "$1" 2>&1) || { problem "$node_token"; return; }
  put token "$node_token"
}
# On the host: the request that joins on standard input.
node_join() {
  docker_swarm || fail "Docker does not answer: $docker_self"
  [ "$docker_state" = inactive ] || { cat >/dev/null; return 0; }
  docker_must "the host cannot join the swarm" POST /swarm/join
  node_until=$(($(date +%s) + 60))
  while docker_swarm && [ "$docker_state" != active ]; do
    [ "$(date +%s)" -lt "$node_until" ] || fail "the host is not in the swarm after 60 s: $(docker info --format '{{.Swarm.Error}}')"
    sleep 0.2
  done
}
node_leave() {
  docker_swarm || fail "Docker does not answer: $docker_self"
  [ "$docker_state" != inactive ] || return 0
  docker_must "the host cannot leave the swarm" POST '/swarm/leave?force=true' </dev/null
}
# On a manager: NODE ROLE SECONDS, and the node's specification on standard input.
node_set() {
  node_until=$(($(date +%s) + 60))
  until [ "$(docker node inspect --format '{{.Status.State}}' "$1" 2>/dev/null)" = ready ]; do
    [ "$(date +%s)" -lt "$node_until" ] || fail "the node \`$1\` is not ready after 60 s"
    sleep 0.2
  done
  [ "$2" = manager ] || node_quorum "$1"
  docker_node_update "$1" || exit 1
  node_became "$1" "$2"
  [ "$(docker node inspect --format '{{.Spec.Availability}}' "$1")" != drain ] || docker_drained "$1" "$3"
}
# Nodes of the same host name that left long ago, and are still listed: HOST NAME, NODE.
node_forget() {
  docker node ls --format '{{.ID}} {{.Status}} {{.Hostname}}' | while read -r node_id node_status node_name; do
    if [ "$node_name" = "$1" ] && [ "$node_status" = Down ] && [ "$node_id" != "$2" ]; then
      docker node rm --force "$node_id" >/dev/null 2>&1 || :
    fi
  done
}
# Waits until a node is what it is to be: NODE ROLE.
node_became() {
  node_until=$(($(date +%s) + 60))
  while :; do
    node_status=$(docker node inspect --format '{{with .ManagerStatus}}{{.Reachability}}{{end}}' "$1" 2>/dev/null) || return 0
    case $2-$node_status in manager-reachable | worker-) return 0 ;; esac
    [ "$(date +%s)" -lt "$node_until" ] || fail "the node \`$1\` is not a $2 after 60 s"
    sleep 0.3
  done
}
# A manager may go only where the others are still a majority that answers: NODE.
node_quorum() {
  node_status=$(docker node inspect --format '{{with .ManagerStatus}}{{.Reachability}}{{end}}' "$1" 2>/dev/null) || return 0
  [ -n "$node_status" ] || return 0
  node_left=0 node_good=0
  for node_one in $(docker node ls -q --filter role=manager); do
    [ "$(docker node inspect --format '{{.ID}}' "$node_one")" != "$1" ] || continue
    node_left=$((node_left + 1))
    [ "$(docker node inspect --format '{{with .ManagerStatus}}{{.Reachability}}{{end}}' "$node_one")" != reachable ] || node_good=$((node_good + 1))
  done
  [ "$node_good" -gt $((node_left / 2)) ] ||
    fail "of the $node_left managers that are left, $node_good answer: without a majority the swarm takes no changes"
}
# On a manager, before the host leaves: NODE SECONDS, and the specification of a drained worker on standard input.
node_drain() {
  docker node inspect "$1" >/dev/null 2>&1 || { cat >/dev/null; return 0; }
  node_quorum "$1"
  docker_node_update "$1" || exit 1
  [ "$(docker node inspect --format '{{.Status.State}}' "$1")" != ready ] || docker_drained "$1" "$2"
  node_became "$1" worker
}
# On a manager, after the host left: NODE.
node_remove() {
  node_until=$(($(date +%s) + 60))
  while docker node inspect "$1" >/dev/null 2>&1; do
    # It left: that the managers notice it only when it is silent for a while need not be waited for.
    if docker_call DELETE "/nodes/$1?force=true" </dev/null; then return 0; fi
    [ "$(date +%s)" -lt "$node_until" ] || fail "the node \`$1\` cannot be taken from the list: $docker_message"
    sleep 0.3
  done
}
