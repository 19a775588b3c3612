//! Signatures of real `ssh-keygen` are accepted, and ours verify with it.

use std::fs;

use formwork::approve::signature::{PLAN, verify};
use formwork::approve::{Signers, fingerprint};

use super::office::{ONE_OPERATOR, Office};

const KINDS: [(&str, &[&str]); 5] = [
    ("ed25519@ops.example", &["-t", "ed25519"]),
    ("p256@ops.example", &["-t", "ecdsa", "-b", "256"]),
    ("p384@ops.example", &["-t", "ecdsa", "-b", "384"]),
    ("p521@ops.example", &["-t", "ecdsa", "-b", "521"]),
    ("rsa@ops.example", &["-t", "rsa", "-b", "2048"]),
];

#[test]
fn their_signatures_are_accepted_and_ours_verify_with_them() {
    let Some(office) = Office::new("signatures both ways", ONE_OPERATOR, &[]) else { return };
    for (name, kind) in KINDS {
        office.key(name, kind);
    }
    office.allow(&KINDS.map(|(name, _)| (name, "")));
    let plan = office.keep("prod.plan");
    for (name, _) in KINDS {
        let theirs = office.sign_by_hand(name, PLAN, &plan);
        let verdict = office.verdict(&plan);
        assert!(verdict.is_accepted(), "{name}: {}", verdict.objections);
        assert_eq!(verdict.requirements[0].filled_by, [name.into()]);
        fs::remove_file(theirs).expect("it goes");
        assert!(!office.accepts(&plan));
        // SSHSIG has two digests, and `ssh-keygen` makes the longer one unless told.
        let shorter = office.sign_with(name, PLAN, &plan, &["-O", "hashalg=sha256"]);
        assert!(office.accepts(&plan), "{name}: {}", office.verdict(&plan).objections);
        fs::remove_file(shorter).expect("it goes");

        let ours = office.approve(name, &plan).expect("approved");
        assert!(ours.ends_with(format!("prod.plan.{name}.sig")));
        assert!(office.accepts(&plan));
        let (signers, ours_text) = (office.signers_file(), ours.to_str().expect("UTF-8"));
        let signers = signers.to_str().expect("UTF-8");
        office.keygen(&["-Y", "verify", "-n", PLAN, "-f", signers, "-I", name, "-s", ours_text], Some(&plan));
        fs::remove_file(ours).expect("it goes");
    }
    office.carry_out("last.plan", "rsa@ops.example");
    office.factory.assert_settled();
}

#[test]
fn no_byte_of_a_signature_can_be_other() {
    let Some(office) = Office::new("flipped signatures", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    let path = office.sign_by_hand("ada@ops.example", PLAN, &plan);
    let (message, armored) = (fs::read(&plan).expect("a plan"), fs::read(&path).expect("a signature"));
    verify(std::str::from_utf8(&armored).expect("UTF-8"), PLAN, &message).expect("it holds");
    for place in 0..armored.len() {
        for flip in [0x01, 0x02, 0x20] {
            let mut altered = armored.clone();
            altered[place] ^= flip;
            let accepted = std::str::from_utf8(&altered).is_ok_and(|text| {
                let signed = verify(text, PLAN, &message);
                // Another key may seem to have signed; nobody allows it.
                let signers = fs::read_to_string(office.signers_file()).expect("signers");
                let signers = Signers::parse(&signers).expect("signers");
                signed.is_ok_and(|signed| signers.names(&signed.key, PLAN, 0).is_ok())
            });
            assert!(!accepted, "byte {place} of the signature flipped by {flip:#x}");
        }
    }
    let mut altered = armored;
    let middle = altered.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    fs::write(&path, altered).expect("written");
    let told = office.refusal(&plan);
    assert!(told.contains("the plan needs 1 approval of `operators`, and it has none"), "{told}");
    assert!(told.contains("does not count"), "{told}");
}

#[test]
fn no_byte_of_a_plan_can_be_other() {
    let Some(office) = Office::new("flipped plans", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    let signature = office.sign_by_hand("ada@ops.example", PLAN, &plan);
    assert!(office.accepts(&plan));
    let whole = fs::read(&plan).expect("a plan");
    let armored = fs::read_to_string(&signature).expect("a signature");
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut altered = whole.clone();
            altered[place] ^= 1 << bit;
            let told = verify(&armored, PLAN, &altered).map(drop).expect_err("another text").to_string();
            assert!(told.contains("made for other bytes than these"), "bit {bit} of byte {place}: {told}");
        }
    }
    // Through all that stands before an apply: what is no plan any more is not opened, what still is one is not approved.
    for place in (0..whole.len()).step_by((whole.len() / 400).max(1)).chain(0..160).chain(whole.len() - 4..whole.len())
    {
        let mut altered = whole.clone();
        altered[place] ^= 0x01;
        fs::write(&plan, &altered).expect("written");
        match office.factory.try_open(&plan) {
            Ok(planned) => {
                let verdict = formwork::workflow::verify(&office.factory.workspace, &planned).0;
                assert!(!verdict.is_accepted(), "byte {place} of the plan");
                assert!(verdict.set_aside[0].why.contains("other bytes"), "{}", verdict.set_aside[0].why);
            }
            Err(failed) => {
                let told = crate::factory::told(&failed);
                let reasons = ["was changed after it was written", "is not a plan", "has version", "is damaged"];
                assert!(reasons.iter().any(|reason| told.contains(reason)), "byte {place}: {told}");
            }
        }
    }
    // A digest that fits again makes it a plan, and no approved one.
    let text = String::from_utf8(whole).expect("UTF-8").replace("\"one\"", "\"two\"");
    fs::write(&plan, text.clone() + " ").expect("written");
    assert!(office.factory.try_open(&plan).is_err());
}

#[test]
fn principals_are_found_as_ssh_keygen_finds_them() {
    let Some(office) = Office::new("principals", ONE_OPERATOR, &["ada@ops.example", "bob@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    let signature = office.sign_by_hand("ada@ops.example", "formwork.wave", &plan);
    let text = fs::read_to_string(&signature).expect("a signature");
    let signed = verify(&text, "formwork.wave", &fs::read(&plan).expect("a plan")).expect("it holds");
    assert!(fingerprint(&signed.key).starts_with("SHA256:"));
    let (ada, bob) = (office.public_key("ada@ops.example"), office.public_key("bob@ops.example"));
    let file = office.factory.path().join("generated");
    let mut allowed = 0;
    for principals in ["ada@x", "ada@x,ada@y", "\"ada@x,ada@z\"", "!ada@x,bob@x"] {
        for options in [
            "",
            "namespaces=\"formwork.*\" ",
            "namespaces=\"file,!formwork.wave,formwork.*\" ",
            "VALID-AFTER=\"20230101\",valid-before=\"202401010000Z\" ",
            "valid-after=\"20231114221321Z\" ",
            "valid-before=\"20231114221319Z\" ",
            "namespaces=\"a \\\"b\\\",formwork.wave\",valid-before=\"20991231235959\" ",
        ] {
            for key in [&ada, &bob] {
                let lines = format!("# generated\n\n \t{principals} {options}{key} a comment\n");
                fs::write(&file, &lines).expect("written");
                let theirs = office.try_keygen(
                    &[
                        "-Y",
                        "find-principals",
                        "-O",
                        "verify-time=20231114221320Z",
                        "-n",
                        "formwork.wave",
                        "-s",
                        signature.to_str().expect("UTF-8"),
                        "-f",
                        file.to_str().expect("UTF-8"),
                    ],
                    None,
                );
                let theirs = theirs.status.success();
                let signers = Signers::parse(&lines).expect("it can be read");
                let ours = signers.names(&signed.key, "formwork.wave", super::office::NOW_MS / 1000);
                // Theirs does not look at namespaces here, and takes principals that name nobody.
                let expected = theirs && !options.contains("!formwork.wave");
                assert_eq!(ours.is_ok(), expected, "{lines}: {ours:?}");
                allowed += usize::from(ours.is_ok());
            }
        }
    }
    assert!(allowed >= 12, "only {allowed} were allowed");
}
