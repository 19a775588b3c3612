//! A kill at every record of a release in waves: the next apply ends with live = desired, and no gate is left out.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use super::three_waves;
use crate::crash::{SIGKILL, copy, formwork, standing};

#[test]
fn a_kill_anywhere_in_a_release_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let before = folder.path().join("before");
    std::fs::create_dir_all(&before).expect("a folder");
    let gate = "gate \"smoke\" {\n  command { argv = [\"sh\", \"-c\", \"echo asked >> asked.log\"] }\n}";
    std::fs::write(before.join("main.hcl"), three_waves(gate, gate)).expect("a blueprint");
    for record in 1..100 {
        let at = format!("{record}:after");
        let dir = folder.path().join(record.to_string());
        copy(&before, &dir);
        let run = formwork(&dir, &["apply", "--auto-approve", "--parallelism", "3", "--crash-at", &at]);
        if run.status.signal() != Some(SIGKILL) {
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            assert!(record > 24, "thirteen steps, one of them only in the record");
            return;
        }
        let again = formwork(&dir, &["apply", "--auto-approve"]);
        assert!(again.status.success(), "after a kill at {at}:\n{}", String::from_utf8_lossy(&again.stderr));
        let plan = formwork(&dir, &["plan", "--detailed-exitcode"]);
        assert_eq!(plan.status.code(), Some(0), "after a kill at {at}:\n{}", String::from_utf8_lossy(&plan.stdout));
        let standing = standing(&dir);
        let distinct: BTreeSet<&String> = standing.iter().collect();
        assert_eq!((distinct.len(), standing.len()), (12, 12), "after a kill at {at}: {standing:?}");
        std::fs::remove_dir_all(&dir).expect("the folder goes");
    }
    panic!("the run has more than 100 records");
}
