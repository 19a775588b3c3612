# The swarm that a host manages.
onprem_swarm_read() {
  command -v docker >/dev/null 2>&1 || { gone; return; }
  docker_swarm || { docker_trouble "$docker_self"; return; }
  case $docker_state-$docker_manager in
    active-true) ;;
    active-*) [ -n "$brief" ] && put kind worker || gone; return ;;
    locked-*) problem "the swarm is locked: \`docker swarm unlock\` opens it"; return ;;
    pending-* | error-*) problem "the host is in a swarm whose managers do not answer"; return ;;
    *) gone; return ;;
  esac
  [ -z "$brief" ] || return 0
  put node_id "$docker_node"
  put cluster_id "$(docker info --format '{{with .Swarm.Cluster}}{{.ID}}{{end}}')"
  put address "$(docker info --format '{{.Swarm.NodeAddr}}')"
  put worker_token "$(docker swarm join-token -q worker)"
  put manager_token "$(docker swarm join-token -q manager)"
  docker node inspect --format '{"Spec":{{json .Spec}}}' self | put_stream json
}
# The request that begins a swarm on standard input.
onprem_swarm_create() {
  docker_swarm || fail "Docker does not answer: $docker_self"
  [ "$docker_state" = inactive ] || return 0
  docker_must "no swarm can begin here" POST /swarm/init
  swarm_until=$(($(date +%s) + 60))
  until docker node inspect self >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$swarm_until" ] || fail "the swarm has no leader after 60 s"
    sleep 0.2
  done
}
onprem_swarm_self() { docker_swarm || fail "Docker does not answer: $docker_self"; docker_node_update "$docker_node"; }
onprem_swarm_delete() {
  docker_swarm || fail "Docker does not answer: $docker_self"
  [ "$docker_state" != inactive ] || return 0
  swarm_others=$(docker node ls --format '{{.Self}} {{.Status}} {{.Hostname}}' | sed -n 's/^false Ready //p' | tr '\n' ' ')
  [ -z "$swarm_others" ] || fail "other hosts are still in the swarm, and must leave it before: $swarm_others"
  docker_must "the swarm cannot end" POST '/swarm/leave?force=true' </dev/null
}
