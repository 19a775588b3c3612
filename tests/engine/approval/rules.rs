//! Whose rules judge, how many have to agree, and what the record keeps.

use std::fs;

use formwork::plan::json::to_terraform_json;
use formwork::plan::model::Risk;
use formwork::workflow::{Consent, history};

use super::office::{ONE_OPERATOR, Office, blueprint};

#[test]
fn a_weaker_rule_is_judged_by_the_one_before() {
    let people = ["ada@ops.example", "eve@evil.example"];
    let Some(office) = Office::new("weakened", ONE_OPERATOR, &people) else { return };
    office.carry_out("first.plan", "ada@ops.example");

    // No rules at all, in the same change that they would have stopped.
    office.factory.write("main.hcl", "resource \"terraform_data\" \"a\" { input = \"evil\" }\n");
    let plan = office.keep("none.plan");
    assert!(office.refusal(&plan).contains("the plan needs 1 approval of `operators`"));
    let opened = office.open(&plan);
    let told = to_terraform_json(&opened.plan)["formwork"]["approval"].clone();
    drop(opened);
    assert_eq!((&told["risk"], &told["rules_of_revision"]), (&"high".into(), &1.into()), "{told}");
    let changes = told["rule_changes"].as_array().expect("changes");
    let change = |setting: &str| changes.iter().find(|change| change["setting"] == setting).expect(setting);
    let group = change("group \"operators\"");
    assert_eq!((&group["before"], &group["after"]), (&"*@ops.example".into(), &serde_json::Value::Null));
    assert!(
        changes.iter().any(|change| change["setting"].as_str().is_some_and(|name| name.starts_with("signer ada@")))
    );

    // Other members, or another key under a member's name.
    office.factory.write("main.hcl", &blueprint(&ONE_OPERATOR.replace("*@ops.example", "*@evil.example"), "evil"));
    let plan = office.keep("members.plan");
    office.sign_by_hand("eve@evil.example", "formwork.plan", &plan);
    assert!(office.refusal(&plan).contains("the plan needs 1 approval of `operators`"));
    office.factory.write("main.hcl", &blueprint(ONE_OPERATOR, "evil"));
    let eve = office.public_key("eve@evil.example");
    office.factory.write("approvers/allowed_signers", &format!("ada@ops.example {eve}\n"));
    let plan = office.keep("keys.plan");
    office.sign_by_hand("eve@evil.example", "formwork.plan", &plan);
    let told = office.refusal(&plan);
    assert!(told.contains("`eve@evil.example` is in no group that is asked"), "{told}");

    // Who the old rules name can bring the new ones, and these judge from then on.
    office.approve("ada@ops.example", &plan).expect("approved");
    office.apply(&plan);
    office.factory.write("main.hcl", &blueprint(ONE_OPERATOR, "three"));
    let plan = office.keep("next.plan");
    assert!(office.approve("ada@ops.example", &plan).expect_err("refused").contains("may not sign"));
    office.approve("eve@evil.example", &plan).expect("approved");
    assert!(office.accepts(&plan));
}

#[test]
fn rules_alone_are_a_change_that_is_applied() {
    let Some(office) = Office::new("rules alone", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    office.carry_out("first.plan", "ada@ops.example");
    office.factory.assert_settled();
    office.factory.write("main.hcl", &blueprint(&format!("{ONE_OPERATOR}\n    expires = \"1h\"\n"), "one"));
    let planned = office.factory.plan();
    assert!(!planned.plan.is_empty());
    assert_eq!(planned.plan.header.approval.grade(&planned.plan.changes), Risk::High);
    drop(planned);
    office.carry_out("rules.plan", "ada@ops.example");
    office.factory.assert_settled();
    assert_eq!(office.factory.plan().plan.header.approval.expires_ms, Some(super::office::NOW_MS + 3_600_000));
}

#[test]
fn a_way_back_is_judged_like_the_way_there() {
    let Some(office) = Office::new("rollback", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    office.carry_out("first.plan", "ada@ops.example");
    office.factory.write("main.hcl", &blueprint(ONE_OPERATOR, "two"));
    office.carry_out("second.plan", "ada@ops.example");
    let back = office.factory.rollback_planned(Some(1));
    assert!(office.try_consented(back, Consent::Person).is_err());
    let plan = office.factory.path().join("back.plan");
    formwork::workflow::save_plan(&office.factory.rollback_planned(Some(1)), &plan).expect("kept");
    office.approve("ada@ops.example", &plan).expect("approved");
    office.apply(&plan);
}

#[test]
fn people_count_once_and_by_group() {
    let rules = r#"
    allowed_signers = "approvers/allowed_signers"
    group "operators" { members = ["*@ops.example", "!guest@ops.example"] }
    group "security" { members = ["carol@sec.example", "ada@ops.example"] }
    require "operators" { count = 2 }
    require "security" { risk = "high" }
"#;
    let people = ["ada@ops.example", "bob@ops.example", "carol@sec.example", "guest@ops.example", "second"];
    let Some(office) = Office::new("groups", rules, &people) else { return };
    let mut lines: String = people[..4].iter().map(|who| format!("{who} {}\n", office.public_key(who))).collect();
    lines.push_str(&format!("ada@ops.example {}\n", office.public_key("second")));
    office.factory.write("approvers/allowed_signers", &lines);
    let plan = office.keep("prod.plan");
    for person in ["ada@ops.example", "second", "guest@ops.example", "carol@sec.example"] {
        office.sign_by_hand(person, "formwork.plan", &plan);
    }
    let told = office.refusal(&plan);
    assert!(told.contains("needs 2 approvals of `operators`, and it has 1 (ada@ops.example)"), "{told}");
    assert!(!told.contains("`security`,"), "a plan of low risk needs no security: {told}");
    office.sign_by_hand("bob@ops.example", "formwork.plan", &plan);
    office.apply(&plan);

    // A deletion is of high risk, and nobody fills two requirements.
    office.factory.write("main.hcl", blueprint(rules, "one").split("resource").next().expect("the rules"));
    let plan = office.keep("delete.plan");
    for person in ["ada@ops.example", "bob@ops.example"] {
        office.sign_by_hand(person, "formwork.plan", &plan);
    }
    let verdict = office.verdict(&plan);
    assert_eq!(verdict.requirements.len(), 2);
    assert!(!verdict.is_accepted());
    office.sign_by_hand("carol@sec.example", "formwork.plan", &plan);
    let verdict = office.verdict(&plan);
    assert!(verdict.is_accepted(), "{}", verdict.objections);
    assert_eq!(verdict.requirements[1].filled_by, ["carol@sec.example".into()]);
}

#[test]
fn the_record_keeps_who_approved() {
    let Some(office) = Office::new("kept approvals", ONE_OPERATOR, &["ada@ops.example"]) else { return };
    let plan = office.keep("prod.plan");
    let path = office.approve("ada@ops.example", &plan).expect("approved");
    office.apply(&plan);
    let revisions = history(&office.factory.workspace).expect("a history");
    let [approval] = &*revisions[0].approvals else { panic!("{:?}", revisions[0].approvals) };
    assert_eq!(&*approval.signer, "ada@ops.example");
    assert!(approval.fingerprint.starts_with("SHA256:"));
    assert_eq!(*approval.signature, *fs::read_to_string(path).expect("a signature"));
    // Once applied it is spent: the record has moved on.
    assert!(office.refusal(&plan).contains("the record has changed since the plan was made"));
}
