# Bytes that come behind a program, and wait on the host for the change that needs them.

# Where those of a digest wait: DIGEST.
delivered_at() { printf '%s/incoming/%s' "$ledger" "$1"; }
# Takes bytes from standard input, once whoever sends them is told to: DIGEST SIZE. They are there whole, or not at all.
deliver() {
  mkdir -p -- "$ledger/incoming" || { outcome refused; return; }
  # What broke off long ago.
  find "$ledger/incoming" -name '.new.*' -mmin +1440 -exec rm -f {} + 2>/dev/null
  deliver_new=$(mktemp "$ledger/incoming/.new.XXXXXX") || { outcome refused; return; }
  trap 'rm -f -- "$deliver_new"' EXIT
  printf 'formwork-send\n'
  if ! cat > "$deliver_new"; then
    outcome refused
  elif [ "$(wc -c < "$deliver_new")" -ne "$2" ]; then
    printf 'not all of it came\n' >&2
    outcome refused
  elif [ "$(sha256sum < "$deliver_new" | cut -d' ' -f1)" != "$1" ]; then
    printf 'what came has another digest\n' >&2
    outcome refused
  elif sync "$deliver_new" && mv -f -- "$deliver_new" "$(delivered_at "$1")"; then
    outcome done
  else
    outcome refused
  fi
}
