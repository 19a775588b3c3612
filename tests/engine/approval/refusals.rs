//! What does not count, and what is said of it.

use std::fs;
use std::process::Command;

use formwork::workflow::{Consent, PlanRequest};

use super::office::{ONE_OPERATOR, Office, blueprint, has};

const PLAN: &str = "formwork.plan";

fn assert_told(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "`{part}` is not in: {told}");
    }
}

#[test]
fn a_signature_for_something_else_says_what_it_is_for() {
    let Some(office) = Office::new("other signatures", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    assert_told(&office.refusal(&plan), &["the plan needs 1 approval of `operators`, and it has none"]);
    let signature = office.sign_by_hand("ada@ops.example", "file", &plan);
    assert_told(&office.refusal(&plan), &["made for the namespace `file`, and `formwork.plan` is needed"]);
    fs::remove_file(signature).expect("it goes");
    office.factory.write("main.hcl", &blueprint(ONE_OPERATOR, "two"));
    let other = office.keep("other.plan");
    let signature = office.sign_by_hand("ada@ops.example", PLAN, &other);
    assert!(office.accepts(&other));
    fs::copy(signature, plan.with_file_name("prod.plan.ada.sig")).expect("copied");
    assert_told(&office.refusal(&plan), &["made for other bytes than these", "(key SHA256:"]);
    fs::write(plan.with_file_name("prod.plan.ada.sig"), "nonsense").expect("written");
    assert_told(&office.refusal(&plan), &["It is not an SSH signature"]);
}

#[test]
fn a_plan_for_another_environment_is_refused() {
    let Some(mut office) = Office::new("another environment", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    office.sign_by_hand("ada@ops.example", PLAN, &plan);
    office.factory.workspace.environment = Some("staging".into());
    let failed = office.factory.try_open(&plan).expect_err("refused");
    assert_told(&crate::factory::told(&failed), &["is for another environment", "made for `default`"]);
}

#[test]
fn a_signer_counts_while_the_rules_say_so() {
    let Some(office) = Office::new("validity", ONE_OPERATOR, &["ada@ops.example", "bob@ops.example"]) else { return };
    let bob = ("bob@ops.example", "");
    for (options, reason) in [
        ("valid-before=\"20231101Z\"", "was valid until 2023-11-01T00:00:00Z"),
        ("valid-after=\"20231201Z\"", "is not valid before 2023-12-01T00:00:00Z"),
        ("namespaces=\"git\"", "has its key for other namespaces: `git`"),
    ] {
        office.allow(&[("ada@ops.example", options), bob]);
        let plan = office.keep("prod.plan");
        office.sign_by_hand("ada@ops.example", PLAN, &plan);
        assert_told(&office.refusal(&plan), &[reason, "the plan needs 1 approval"]);
    }
    office.allow(&[bob]);
    let plan = office.keep("prod.plan");
    office.sign_by_hand("ada@ops.example", PLAN, &plan);
    assert_told(&office.refusal(&plan), &["No line of the allowed signers has its key"]);
    let keyed = office.public_key("ada@ops.example");
    office.factory.write(
        "approvers/allowed_signers",
        &format!("*@ops.example {keyed}\nbob@ops.example {}\n", office.public_key("bob@ops.example")),
    );
    let plan = office.keep("prod.plan");
    office.sign_by_hand("ada@ops.example", PLAN, &plan);
    assert_told(&office.refusal(&plan), &["names no one person for its key, but `*@ops.example`"]);
}

#[test]
fn a_revoked_key_counts_no_more() {
    let rules = format!("{ONE_OPERATOR}\n    revoked_keys = \"approvers/revoked\"\n");
    let Some(office) = Office::new("revoked", &rules, &["ada@ops.example", "bob@ops.example"]) else { return };
    let revoked = format!("# lost\n{} ada\n", office.public_key("ada@ops.example"));
    office.factory.write("approvers/revoked", &revoked);
    let plan = office.keep("prod.plan");
    office.sign_by_hand("ada@ops.example", PLAN, &plan);
    assert_told(&office.refusal(&plan), &["The key is revoked"]);
    office.sign_by_hand("bob@ops.example", PLAN, &plan);
    let verdict = office.verdict(&plan);
    assert!(verdict.is_accepted(), "{}", verdict.objections);
    assert_eq!(verdict.objections.len(), 1, "what does not count is still told: {}", verdict.objections);
}

#[test]
fn who_made_a_plan_cannot_approve_it_alone() {
    let Some(mut office) = Office::new("separation", ONE_OPERATOR, &["ada@ops.example", "bob@ops.example"]) else {
        return;
    };
    office.factory.workspace.actor = "Ada@ops.example".into();
    let plan = office.keep("prod.plan");
    assert_told(&office.approve("ada@ops.example", &plan).expect_err("refused"), &["`ada@ops.example` made this plan"]);
    office.sign_by_hand("ada@ops.example", PLAN, &plan);
    assert_told(&office.refusal(&plan), &["`ada@ops.example` made this plan", "`separation`"]);
    office.approve("bob@ops.example", &plan).expect("approved");
    assert!(office.accepts(&plan));
    let alone = format!("{ONE_OPERATOR}\n    separation = false\n");
    office.factory.write("main.hcl", &blueprint(&alone, "one"));
    let plan = office.keep("alone.plan");
    office.approve("ada@ops.example", &plan).expect("approved");
    assert!(office.accepts(&plan));
}

#[test]
fn a_plan_that_is_not_kept_cannot_be_applied() {
    let rules = format!("{ONE_OPERATOR}\n    auto_approve = false\n");
    let Some(office) = Office::new("not kept", &rules, &["ada@ops.example"]) else { return };
    for consent in [Consent::Person, Consent::Automatic] {
        let refused = office.try_consented(office.factory.plan(), consent).map(drop).expect_err("refused");
        assert_told(&refused, &["asks for signed approvals", "This plan needs 1 approval of `operators`"]);
        assert_eq!(refused.contains("--auto-approve"), consent == Consent::Automatic);
    }
    office.carry_out("prod.plan", "ada@ops.example");
    let destroy = PlanRequest { destroy: true, ..PlanRequest::default() };
    let planned = office.factory.try_plan(&destroy).expect("a plan");
    assert!(office.try_consented(planned, Consent::Person).is_err());
}

#[test]
fn a_plan_expires() {
    let rules = format!("{ONE_OPERATOR}\n    expires = \"72h\"\n");
    let Some(mut office) = Office::new("expiry", &rules, &["ada@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    office.approve("ada@ops.example", &plan).expect("approved");
    office.factory.workspace.now_ms += 72 * 3_600_000;
    assert!(office.accepts(&plan));
    office.factory.workspace.now_ms += 1;
    assert_told(&office.refusal(&plan), &["the plan has expired", "2023-11-14T22:13:20Z", "72h"]);
    office.factory.workspace.now_ms -= 80 * 3_600_000;
    assert_told(&office.refusal(&plan), &["the plan was made in the future"]);
}

#[test]
fn the_commit_is_one_that_the_rules_want() {
    let rules = format!("{ONE_OPERATOR}\n    clean = true\n    branch = [\"main\", \"release/*\"]\n");
    let Some(office) = Office::new("git", &rules, &["ada@ops.example"]) else { return };
    if !has("git", "git") {
        return;
    }
    let approved = |name: &str| {
        let plan = office.keep(name);
        office.approve("ada@ops.example", &plan).expect("approved");
        plan
    };
    assert_told(&office.refusal(&approved("none.plan")), &["was not made in a Git repository"]);
    let git = |arguments: &[&str]| {
        let settings = ["-c", "user.name=Ada", "-c", "user.email=ada@dev.example", "-c", "commit.gpgsign=false"];
        let ended = Command::new("git").arg("-C").arg(office.factory.path()).args(settings).args(arguments).output();
        let ended = ended.expect("git runs");
        assert!(ended.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    git(&["init", "-q", "-b", "topic"]);
    git(&["add", "main.hcl", "approvers"]);
    git(&["commit", "-q", "-m", "all"]);
    assert_told(&office.refusal(&approved("topic.plan")), &["a commit on `main,release/*`", "was on topic"]);
    git(&["branch", "-m", "release/1"]);
    assert!(office.accepts(&approved("release.plan")));
    office.factory.write("main.hcl", &blueprint(&rules, "uncommitted"));
    assert_told(&office.refusal(&approved("unclean.plan")), &["made from files that are not committed"]);
    git(&["commit", "-q", "-a", "-m", "more"]);
    office.apply(&approved("clean.plan"));
}
