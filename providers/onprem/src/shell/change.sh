# One change, from the look before to the look after. Set before: type address key attempt kept entry lock_name verb
# has_before, and the functions `change` and `look`.
carry_out() {
  entry="$ledger/owners/$entry"
  if ! lock "$lock_name" 600; then outcome refused; return; fi
  entry_of "$entry"
  stands=$(brief=1; look)
  case $stands in
    absent*) stands= ;;
    !*) printf '%s\n' "$stands" >&2; outcome refused; return ;;
    *) stands=1 ;;
  esac
  if [ "$verb" != delete ] && [ -n "$stands" ] && [ "$entry_done" = "$attempt" ]; then outcome done; return; fi
  made_by=$attempt
  case $verb in
    create)
      if [ -n "$stands" ] && [ "$entry_attempt" != "$attempt" ]; then
        taken
        return
      fi
      # What a mark kept is from before the first of them, also where the object itself vanished since.
      if [ -n "$has_before" ] && [ -z "$entry_attempt" ]; then
        entry_before=$("${type}_before" "$key" | base64 | tr -d '\n')
      fi
      entry_kept=$kept entry_done=
      if ! write_entry; then outcome refused; return; fi
      entry_of "$entry"
      ;;
    update)
      # The attempt that made it stays: it is what tells this object from another.
      [ -z "$entry_attempt" ] || made_by=$entry_attempt
      if ! write_entry; then outcome refused; return; fi
      ;;
    delete)
      if [ -z "$stands" ] && { [ -z "$has_before" ] || [ -z "$entry_attempt" ]; }; then
        rm -f -- "$entry"; outcome done; return
      fi
      ;;
  esac
  ( set -e; change ) </dev/null >/dev/null 9>&-
  code=$?
  if [ "$code" = 0 ] && [ "$verb" != delete ]; then
    entry_kept=$kept entry_done=$attempt
    # What cannot be noted any more is seen all the same.
    write_entry || :
    entry_of "$entry"
  fi
  stands=$(brief=1; look)
  case $stands in absent*) rm -f -- "$entry" ;; esac
  if [ "$code" = 0 ]; then outcome done; else outcome failed; fi
}
# Says who has it already.
taken() {
  outcome taken
  for taken_by in "$ledger"/owners/*/"${entry#"$ledger"/owners/*/}"; do
    [ -f "$taken_by" ] || continue
    entry_of "$taken_by"
    put taken_by "$entry_address"
    taken_in=${taken_by#"$ledger"/owners/}
    put taken_in "${taken_in%%/*}"
  done
}
