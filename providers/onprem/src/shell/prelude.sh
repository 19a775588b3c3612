# What every program that is sent to a host starts with. POSIX sh, with the usual small tools.
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LC_ALL=C
export PATH LC_ALL
umask 077
newline='
'

# An attribute of the answer: NAME VALUE.
put() {
  case $2 in
    *"$newline"*) printf ':%s\n' "$1"; printf '%s' "$2" | base64; printf '.\n' ;;
    *) printf '=%s %s\n' "$1" "$2" ;;
  esac
}
# An attribute whose bytes come from standard input: NAME.
put_stream() { printf ':%s\n' "$1"; base64; printf '\n.\n'; }
# The object does not stand.
gone() { printf 'absent\n'; }
# It cannot be looked at: WHY.
problem() { printf '!%s\n' "$1"; }
# Ends a change: WHY.
fail() { printf '%s\n' "$1" >&2; exit 1; }
# Ends a change where a tool is missing: TOOL.
need() { command -v "$1" >/dev/null 2>&1 || fail "the host has no \`$1\`"; }

# Standard input becomes the file at PATH, all of it or nothing of it: PATH MODE OWNER GROUP SIZE. An empty owner or
# group is left as it comes.
place() {
  place_folder=$(dirname -- "$1")
  [ -d "$place_folder" ] || fail "the folder \`$place_folder\` is not there"
  place_new=$(mktemp "$place_folder/.formwork.XXXXXX") || fail "no file can be made in \`$place_folder\`"
  trap 'rm -f -- "$place_new"' EXIT
  cat > "$place_new" || fail "\`$1\` could not be written"
  [ "$(wc -c < "$place_new")" -eq "$5" ] || fail "not all of \`$1\` was written"
  dress "$place_new" "$2" "$3" "$4"
  sync "$place_new" || fail "\`$1\` could not be written to the disk"
  mv -f -- "$place_new" "$1" || fail "\`$1\` could not be put in its place"
  sync "$place_folder" 2>/dev/null || :
}
# Owner, group and mode: PATH MODE OWNER GROUP. The mode comes last: a change of owner takes set-uid bits away.
dress() {
  if [ -n "$3" ]; then chown -h -- "$3" "$1" || fail "the owner \`$3\` could not be set"; fi
  if [ -n "$4" ]; then chgrp -h -- "$4" "$1" || fail "the group \`$4\` could not be set"; fi
  if [ -n "$2" ]; then chmod -- "$2" "$1" || fail "the mode \`$2\` could not be set"; fi
}
# The file at PATH is put anew with what standard input holds, and keeps its mode and owner: PATH. A missing one has
# the mode 0644.
rewrite() {
  rewrite_new=$(mktemp "$(dirname -- "$1")/.formwork.XXXXXX") || fail "no file can be made beside \`$1\`"
  trap 'rm -f -- "$rewrite_new"' EXIT
  if [ -e "$1" ]; then cp -p -- "$1" "$rewrite_new" || fail "\`$1\` could not be copied"; else chmod 644 "$rewrite_new"; fi
  cat > "$rewrite_new" || fail "\`$1\` could not be written"
  # What ends with this line is whole: a full disk loses the end.
  [ "$(tail -n 1 -- "$rewrite_new")" = "$rewrite_end" ] || fail "not all of \`$1\` was written"
  sed -i '$d' "$rewrite_new" || fail "\`$1\` could not be written"
  sync "$rewrite_new" || fail "\`$1\` could not be written to the disk"
  mv -f -- "$rewrite_new" "$1" || fail "\`$1\` could not be put in its place"
}
rewrite_end='# formwork: the end'

# Where marks of ownership are kept.
if [ -z "$ledger" ]; then
  if [ "$(id -u)" = 0 ]; then ledger=/var/lib/formwork; else ledger="$HOME/.local/state/formwork"; fi
fi

# Reads a mark into entry_*: FILE.
entry_of() {
  entry_type= entry_address= entry_key= entry_attempt= entry_done= entry_kept= entry_before=
  [ -f "$1" ] || return 0
  while IFS= read -r entry_line; do
    case $entry_line in
      type=*) entry_type=${entry_line#*=} ;;
      address=*) entry_address=${entry_line#*=} ;;
      key=*) entry_key=${entry_line#*=} ;;
      attempt=*) entry_attempt=${entry_line#*=} ;;
      done=*) entry_done=${entry_line#*=} ;;
      kept=*) entry_kept=${entry_line#*=} ;;
      before=*) entry_before=${entry_line#*=} ;;
    esac
  done < "$1"
}
show_entry() {
  [ -n "$entry_type" ] || return 0
  printf '&type %s\n&address %s\n&key %s\n&attempt %s\n&kept %s\n' \
    "$entry_type" "$entry_address" "$entry_key" "$entry_attempt" "$entry_kept"
}
# Writes the mark of what is being changed, whole: of its settings, `made_by` and entry_*.
write_entry() {
  mkdir -p -- "$(dirname -- "$entry")" || return 1
  printf 'type=%s\naddress=%s\nkey=%s\nattempt=%s\ndone=%s\nkept=%s\nbefore=%s\n' \
    "$type" "$address" "$key" "$made_by" "$entry_done" "$entry_kept" "$entry_before" > "$entry.new" || return 1
  sync "$entry.new" 2>/dev/null || :
  mv -f -- "$entry.new" "$entry"
}

# Asks one question: NUMBER ENTRY FUNCTION ARGUMENTS...
ask() {
  printf '@%s\n' "$1"
  (
    [ -z "$2" ] || entry_of "$ledger/owners/$2"
    show_entry
    shift 2
    "$@"
  ) </dev/null
}

# Waits for other changes of the same thing: NAME.
lock() {
  mkdir -p -- "$ledger/locks" || return 1
  exec 9>"$ledger/locks/$1" || return 1
  command -v flock >/dev/null 2>&1 || { printf 'the host has no `flock`\n' >&2; return 1; }
  flock -w "$2" 9 || { printf 'another change of it is still going on\n' >&2; return 1; }
}

outcome() { printf '@outcome\n=outcome %s\n' "$1"; }
