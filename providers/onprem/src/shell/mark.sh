# The mark of an object that stands beyond its host, before and after a change that is made from elsewhere. Set before:
# as for a change, and `stands`; for note_mark `carried`, where all of the change was.
take_mark() {
  entry="$ledger/owners/$entry"
  if ! lock "$lock_name" 600; then outcome refused; return; fi
  entry_of "$entry"
  if [ "$verb" != delete ] && [ -n "$stands" ] && [ "$entry_done" = "$attempt" ]; then outcome done; return; fi
  made_by=$attempt
  case $verb in
    create)
      if [ -n "$stands" ] && [ "$entry_attempt" != "$attempt" ]; then
        taken
        return
      fi
      entry_kept=$kept entry_done=
      ;;
    update)
      [ -z "$entry_attempt" ] || made_by=$entry_attempt
      ;;
    delete)
      if [ -z "$stands" ]; then rm -f -- "$entry"; outcome done; else outcome held; fi
      return
      ;;
  esac
  if write_entry; then outcome held; else outcome refused; fi
}
note_mark() {
  entry="$ledger/owners/$entry"
  if ! lock "$lock_name" 600; then outcome refused; return; fi
  if [ -z "$stands" ]; then rm -f -- "$entry"; outcome done; return; fi
  entry_of "$entry"
  if [ "$verb" != delete ] && [ -n "$carried" ]; then
    made_by=${entry_attempt:-$attempt} entry_kept=$kept entry_done=$attempt
    if ! write_entry; then outcome refused; return; fi
  fi
  outcome done
}
