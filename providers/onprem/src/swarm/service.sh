# What a swarm runs.
onprem_swarm_service_read() {
  docker_show service "$1" || return 0
  [ -z "$brief" ] || return 0
  # A specification has ids of networks.
  docker network ls --no-trunc --format '{{.ID}} {{.Name}}' | put_stream networks
}
# NAME SECONDS HEADER KIND:NAME..., and the specification on standard input.
onprem_swarm_service_create() {
  service_name=$1 service_seconds=$2 service_header=$3
  shift 3
  if docker_has service "$service_name"; then
    service_send "$@" || exit 1
  else
    service_text=$(docker_ids "$@") || exit 1
    printf '%s' "$service_text" | docker_must "the service \`$service_name\` cannot be made" POST /services/create "$service_header"
  fi
  service_converge "$service_name" "$service_seconds"
}
onprem_swarm_service_update() {
  service_name=$1 service_seconds=$2 service_header=$3
  shift 3
  service_send "$@" || exit 1
  service_converge "$service_name" "$service_seconds"
}
service_send() {
  service_text=$(docker_ids "$@") || return 1
  service_version=$(docker service inspect --format '{{.Version.Index}}' -- "$service_name") || fail "the service \`$service_name\` is gone"
  printf '%s' "$service_text" |
    docker_must "the service \`$service_name\` cannot be changed" POST "/services/$service_name/update?version=$service_version" "$service_header"
}
onprem_swarm_service_delete() {
  docker_has service "$1" || return 0
  docker_must "the service \`$1\` cannot be deleted" DELETE "/services/$1" </dev/null
}
# Waits until all tasks run and have run for some seconds: NAME SECONDS.
service_converge() {
  service_until=$(($(date +%s) + $2)) service_since=
  while :; do
    service_now=$(date +%s)
    service_state=$(docker service inspect --format '{{with .UpdateStatus}}{{.State}}{{end}}' -- "$1") || fail "the service \`$1\` is gone"
    case $service_state in
      rollback_completed) service_blame "$1"; fail "the swarm went back to what the service \`$1\` was before" ;;
      rollback_paused) service_blame "$1"; fail "the swarm stopped going back half-way" ;;
      paused) service_blame "$1"; fail "the swarm stopped the update of the service \`$1\` half-way" ;;
      updating | rollback_started) service_since= ;;
      *)
        service_count=$(docker service ls --filter "name=$1" --format '{{.Name}} {{.Replicas}}' | awk -v name="$1" '$1 == name { print $2 }')
        if [ -n "$service_count" ] && [ "${service_count%/*}" = "${service_count#*/}" ]; then
          [ "$service_count" != 0/0 ] || return 0
          [ -n "$service_since" ] || service_since=$service_now
          [ $((service_now - service_since)) -lt "$service_stable" ] || return 0
        else service_since=; fi
        ;;
    esac
    if [ "$service_now" -ge "$service_until" ]; then
      service_blame "$1"
      case $service_state in
        updating) fail "after $2 s the swarm is still updating the service \`$1\`" ;;
        rollback_started) fail "after $2 s the swarm is still going back to what the service \`$1\` was before" ;;
      esac
      fail "after $2 s the service \`$1\` has ${service_count:-not all} of its tasks for less than $service_stable s"
    fi
    sleep 0.5
  done
}
# How long all tasks must have run, in seconds.
service_stable=5
# Says what keeps tasks from running: NAME.
service_blame() {
  docker service ps --no-trunc --format '{{.Name}} on {{or .Node "no node"}}: {{.CurrentState}}{{if .Error}}: {{.Error}}{{end}}' "$1" 2>/dev/null |
    grep -v -e ': Running ' -e ': Shutdown [^:]*$' -e ': Complete [^:]*$' | head -n 4 | sed 's/^/task /' >&2 || :
}
