# What units are made of and how they are moved.
systemd_folder=/etc/systemd/system

# Whether systemd starts it with the host: true, false, or nothing where it has no say: NAME.
systemd_enabled() {
  case $(systemctl is-enabled "$1" 2>/dev/null) in
    enabled | enabled-runtime | alias) echo true ;;
    *) echo false ;;
  esac
}
# Whether it runs: NAME. What is on its way there counts.
systemd_running() {
  case $(systemctl is-active "$1" 2>/dev/null) in
    active | activating | reloading) echo true ;;
    *) echo false ;;
  esac
}
# Writes a unit's file from standard input: NAME SIZE.
systemd_write() {
  need systemctl
  place "$systemd_folder/$1" 0644 '' '' "$2"
}
# Brings a unit into this state: NAME ENABLED RUNNING HOW. An empty ENABLED or RUNNING leaves that as it is; HOW is
# `restart` or `reload` for one that runs.
systemd_move() {
  need systemctl
  case $2 in
    true)
      systemctl enable --quiet "$1" || fail "\`$1\` cannot be enabled"
      [ "$(systemd_enabled "$1")" = true ] || fail "\`$1\` cannot be enabled: it has no \`[Install]\` section"
      ;;
    false) systemctl disable --quiet "$1" 2>/dev/null || fail "\`$1\` cannot be disabled" ;;
  esac
  case $3:$(systemd_running "$1"):$4 in
    false:*) systemctl stop "$1" || fail "\`$1\` cannot be stopped" ;;
    true:false:* | true:true:restart | :true:restart) systemd_start restart "$1" ;;
    true:true:reload | :true:reload) systemd_start reload-or-restart "$1" ;;
  esac
}
# Starts it and sees that it goes on: VERB NAME. One that ends at once was started all the same.
systemd_start() {
  systemctl reset-failed "$2" 2>/dev/null || :
  if systemctl "$1" "$2"; then
    for systemd_look in 1 2 3; do
      sleep 0.1
      case $(systemctl is-active "$2") in
        active) ;;
        *) systemd_look=; break ;;
      esac
    done
    [ -z "$systemd_look" ] || return 0
  fi
  journalctl --unit "$2" --lines 5 --output cat --no-pager >&2 2>/dev/null || :
  fail "\`$2\` does not stay up"
}
# Takes it out of service; the file is somebody else's matter: NAME.
systemd_end() {
  systemctl disable --quiet "$1" 2>/dev/null || :
  systemctl stop "$1" || fail "\`$1\` cannot be stopped"
}
