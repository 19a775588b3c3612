//! Policies: what they deny, demand and let through; whose judge a plan; and exceptions.

use std::path::Path;
use std::process::Command;

use formwork::approve::signature::{KeyFile, Signer};
use formwork::plan::model::Risk;
use formwork::record::model::WaiverKind;
use formwork::workflow::{
    ApplyRequest, Consent, Interrupt, NewException, PlanRequest, Planned, Silent, VariableSource, apply, approve_plan,
    history, key_file, policy_except, policy_init, policy_test, save_plan, validate,
};

use crate::factory::{Factory, told};

const STORE: &str = r#"
variable "days" { default = 7 }
resource "sandbox_log_store" "audit" {
  name           = "audit"
  retention_days = var.days
}
"#;

const NO_SHORT_LOGS: &str = r#"package logs

deny contains {"msg": msg, "address": change.address} if {
	some change in input.resource_changes
	change.type == "sandbox_log_store"
	change.change.after.retention_days < 30
	msg := sprintf("kept for %d days", [change.change.after.retention_days])
}
"#;

fn factory(policy: &str) -> Factory {
    let factory = Factory::new(STORE);
    factory.write("policy/logs.rego", policy);
    factory
}

/// Why an apply is refused.
fn refused(factory: &Factory, planned: Planned, consent: Consent) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let request = ApplyRequest::new(consent);
    let done = runtime.block_on(apply(&factory.workspace, planned, &request, &Silent, &Interrupt::default()));
    told(&done.expect_err("it is refused"))
}

fn set(factory: &mut Factory, name: &str, text: &str) {
    factory
        .workspace
        .variables
        .retain(|given| !matches!(given, VariableSource::Argument { name: n, .. } if &**n == name));
    factory.variable(name, text);
}

fn messages(planned: &Planned) -> Vec<String> {
    planned.policy.denied.iter().map(|violation| violation.message.clone()).collect()
}

#[test]
fn what_a_policy_denies_is_told_and_not_applied() {
    let mut factory = factory(NO_SHORT_LOGS);
    let planned = factory.plan();
    assert_eq!(messages(&planned), ["kept for 7 days"]);
    assert_eq!(planned.policy.denied[0].address.as_deref(), Some("sandbox_log_store.audit"));
    let why = refused(&factory, planned, Consent::Person);
    assert!(why.contains("the policy `logs.deny` denies this plan") && why.contains("kept for 7 days"), "{why}");
    assert_eq!(factory.standing(), 0);
    set(&mut factory, "days", "30");
    factory.apply();
    assert_eq!(factory.standing(), 1);
}

#[test]
fn a_kept_plan_is_judged_when_it_is_applied() {
    let factory = factory(NO_SHORT_LOGS);
    let opened = factory.through_file(factory.plan());
    assert_eq!(messages(&opened), ["kept for 7 days"]);
    let why = refused(&factory, opened, Consent::PlanFile);
    assert!(why.contains("`logs.deny`"), "{why}");
}

#[test]
fn a_plan_cannot_weaken_what_judges_it() {
    let mut factory = factory(NO_SHORT_LOGS);
    set(&mut factory, "days", "30");
    factory.apply();
    set(&mut factory, "days", "7");
    for weakened in [Some("package logs\n"), None] {
        match weakened {
            Some(text) => factory.write("policy/logs.rego", text),
            None => std::fs::remove_file(factory.path().join("policy/logs.rego")).expect("it was there"),
        }
        let planned = factory.plan();
        assert_eq!(messages(&planned), ["kept for 7 days"], "{weakened:?}");
        let change = &planned.policy.changes[0];
        assert_eq!((change.file.as_str(), change.risk()), ("policy/logs.rego", Risk::High));
        let why = refused(&factory, planned, Consent::Person);
        assert!(why.contains("the recorded policy `logs.deny` denies"), "{why}");
    }
}

#[test]
fn a_policy_that_changes_alone_is_a_change_that_the_old_ones_judge() {
    let mut factory = factory(NO_SHORT_LOGS);
    set(&mut factory, "days", "30");
    factory.apply();
    factory.write("policy/logs.rego", "package logs\n");
    let planned = factory.plan();
    assert!(planned.plan.steps.is_empty() && !planned.plan.is_empty());
    assert_eq!(planned.plan.header.approval.grade(&planned.plan.changes), Risk::High);
    let why = refused(&factory, planned, Consent::NothingToDo);
    assert!(why.contains("changes what judges plans"), "{why}");
    let outcome = factory.apply_planned(factory.plan());
    assert_eq!(outcome.revision, 2);
    // From now on the new ones judge.
    set(&mut factory, "days", "7");
    assert_eq!(messages(&factory.plan()), Vec::<String>::new());
}

#[test]
fn new_policies_judge_the_plan_that_brings_them() {
    let factory = factory("package logs\n");
    factory.apply();
    factory.write("policy/logs.rego", NO_SHORT_LOGS);
    assert_eq!(messages(&factory.plan()), ["kept for 7 days"]);
}

#[test]
fn a_policy_that_is_broken_denies_with_its_place() {
    for (broken, line, word) in [
        ("package logs\n\ndeny contains msg if {\n\tmsg := \n}\n", 4, "expect"),
        ("package logs\n\ndeny contains msg if msg := nothing_known\n", 3, "nothing_known"),
        ("package logs\n\ndeny contains msg if {\n\tmsg := to_number(\"x\")\n}\n", 4, "could not parse"),
        ("package logs\n\nf(x) := g(x)\n\ng(x) := f(x)\n\ndeny contains f(1)\n", 3, "calls itself"),
        ("package logs\n\ndeny contains x if x := deny\n", 3, "recursion"),
    ] {
        let factory = factory(broken);
        let planned = factory.plan();
        let violation = planned.policy.denied.first().unwrap_or_else(|| panic!("{broken} denies nothing"));
        let place = violation.place.unwrap_or_else(|| panic!("{broken}: no place: {violation:?}"));
        assert_eq!(
            planned.governing().sources().position(place).map(|(line, _)| line),
            Some(line),
            "{broken}: {violation:?}"
        );
        assert!(violation.message.contains(word), "{broken}: {}", violation.message);
        let why = refused(&factory, planned, Consent::Person);
        assert!(why.contains("cannot judge this plan, so it denies it"), "{why}");
    }
}

#[test]
fn a_policy_that_does_not_compile_is_told_by_validate() {
    let factory = factory("package logs\n\ndeny contains msg if {\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let why = told(&runtime.block_on(validate(&factory.workspace)).expect_err("it is not valid"));
    assert!(why.contains("a policy cannot judge"), "{why}");
}

#[test]
fn rules_give_texts_objects_and_demands() {
    let factory = factory(
        r#"package logs
deny_text contains "a text"
violation contains {"msg": "an object", "address": "sandbox_log_store.audit"}
deny_whole := "one value"
deny_nothing := false
warn contains "careful"
require_approval contains {"msg": "two eyes more", "group": "security", "count": 2}
require_approval contains "any other"
"#,
    );
    let planned = factory.plan();
    assert_eq!(messages(&planned), ["a text", "one value", "an object"]);
    assert_eq!(planned.policy.warnings[0].message, "careful");
    let demands: Vec<_> =
        planned.policy.demands.iter().map(|d| (d.count, d.group.as_deref(), d.why.as_str())).collect();
    assert_eq!(demands, [(1, None, "any other"), (2, Some("security"), "two eyes more")]);
}

#[test]
fn a_demand_in_no_form_denies() {
    let factory = factory("package logs\nrequire_approval contains {\"msg\": \"x\", \"count\": 0}\n");
    let planned = factory.plan();
    assert!(planned.policy.demands.is_empty());
    assert!(messages(&planned)[0].contains("`count` or `group`"), "{:?}", messages(&planned));
}

#[test]
fn policies_see_risk_reversal_and_author_and_no_secret() {
    let factory = Factory::new(
        r#"
variable "secret" {
  default   = "hidden-word"
  sensitive = true
}
resource "terraform_data" "a" { input = { password = var.secret } }
"#,
    );
    factory.write(
        "policy/see.rego",
        r#"package see
deny contains json.marshal(input)
warn contains sprintf("%s %s %s %s", [
	input.formwork.environment,
	input.formwork.author.actor,
	input.resource_changes[0].formwork.risk,
	input.resource_changes[0].formwork.reversal.kind,
])
"#,
    );
    let planned = factory.plan();
    assert_eq!(planned.policy.warnings[0].message, "default tester@host low delete");
    let seen = &messages(&planned)[0];
    assert!(seen.contains("after_sensitive") && !seen.contains("hidden-word"), "{seen}");
}

#[test]
fn data_is_found_below_the_names_of_folders() {
    let factory = factory("package logs\ndeny contains data.limits.text\nwarn contains data.team.limits.text\n");
    factory.write("policy/data.json", r#"{"limits": {"text": "at the root"}}"#);
    factory.write("policy/team/data.json", r#"{"limits": {"text": "in a folder"}}"#);
    let planned = factory.plan();
    assert_eq!(messages(&planned), ["at the root"]);
    assert_eq!(planned.policy.warnings[0].message, "in a folder");
    factory.write("policy/data.json", "[1]");
    assert_eq!(messages(&factory.plan()), ["The data is not an object."]);
}

#[test]
fn what_denies_a_plan_denies_a_destroy_too() {
    let factory = factory("package logs\n");
    factory.apply();
    factory.write(
        "policy/logs.rego",
        "package logs\ndeny contains c.address if {\n\tsome c in input.resource_changes\n\t\"delete\" in c.change.actions\n}\n",
    );
    let destroy = factory.try_plan(&PlanRequest { destroy: true, ..PlanRequest::default() }).expect("a plan");
    assert_eq!(messages(&destroy), ["sandbox_log_store.audit"]);
}

/// Makes a key pair, and a line of `allowed_signers` for it; `None` where there is no ssh-keygen.
fn key(factory: &Factory, name: &str) -> Option<String> {
    let file = factory.path().join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&file).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: an exception, since there is no `ssh-keygen`");
        return None;
    }
    let public = std::fs::read_to_string(file.with_extension("pub")).expect("a public key");
    Some(format!("{name} namespaces=\"formwork.exception,formwork.plan\" {public}"))
}

fn exception(factory: &Factory, key: &str) -> NewException {
    NewException {
        rule: "logs.deny".into(),
        address: Some("sandbox_log_store.*".into()),
        reason: "moves to the archive".into(),
        ticket: Some("OPS-7".into()),
        until: "2023-11-30".into(),
        key: Some(factory.path().join(key)),
        ..NewException::default()
    }
}

const APPROVED: &str = r#"
environment "prod" {
  approval { allowed_signers = "approvers" }
}
"#;

#[test]
fn an_exception_that_is_signed_lifts_what_it_names_until_its_day() {
    let mut factory = factory(NO_SHORT_LOGS);
    let Some(anna) = key(&factory, "anna") else { return };
    factory.write("approvers", &anna);
    factory.write("environment.hcl", APPROVED);
    let filed = policy_except(&factory.workspace, &exception(&factory, "anna")).expect("it is written");
    assert_eq!(filed.signer.as_deref(), Some("anna"));
    let planned = factory.plan();
    assert_eq!(messages(&planned), Vec::<String>::new());
    let excepted = &planned.policy.excepted[0];
    assert_eq!((&*excepted.signers[0].name, excepted.exception.ticket.as_deref()), ("anna", Some("OPS-7")));
    // The engine's own check agrees with OpenSSH's.
    assert_verified_by_openssh(factory.path(), &filed.file, filed.signature.as_deref().expect("a signature"));
    assert!(factory.apply_planned(planned).is_complete());
    // What it relied on stays with the revision, as it was signed.
    let waiver = &history(&factory.workspace).expect("a history")[0].waivers[0];
    assert_eq!((waiver.kind, waiver.signer.as_deref()), (WaiverKind::Policy, Some("anna")));
    let signed = waiver.signed.as_ref().expect("it was signed");
    assert_eq!(*signed.text, *std::fs::read_to_string(factory.path().join(&filed.file)).expect("the exception"));
    // 2023-12-01
    factory.workspace.now_ms = 1_701_388_800_000;
    let planned = factory.plan();
    assert_eq!(messages(&planned), ["kept for 7 days"]);
    assert!(planned.policy.void[0].why.contains("ended with 2023-11-30"), "{:?}", planned.policy.void);
}

fn assert_verified_by_openssh(dir: &Path, file: &str, signature: &str) {
    let text = std::fs::File::open(dir.join(file)).expect("the exception");
    let verified = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", "formwork.exception", "-f", "approvers", "-I", "anna", "-s", signature])
        .current_dir(dir)
        .stdin(text)
        .output()
        .expect("ssh-keygen runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn an_exception_that_is_signed_by_ssh_keygen_counts() {
    let factory = factory(NO_SHORT_LOGS);
    let Some(anna) = key(&factory, "anna") else { return };
    factory.write("approvers", &anna);
    factory.write("environment.hcl", APPROVED);
    let unsigned = NewException { key: None, ..exception(&factory, "anna") };
    let filed = policy_except(&factory.workspace, &unsigned).expect("it is written");
    assert!(factory.plan().policy.void[0].why.contains("not signed"));
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "formwork.exception", "-f", "anna", &filed.file])
        .current_dir(factory.path())
        .status();
    assert!(signed.expect("ssh-keygen runs").success());
    assert_eq!(messages(&factory.plan()), Vec::<String>::new());
}

#[test]
fn an_exception_does_not_count_for_each_reason_that_there_is() {
    let mut factory = factory(NO_SHORT_LOGS);
    let (Some(anna), Some(_)) = (key(&factory, "anna"), key(&factory, "mallory")) else { return };
    factory.write("approvers", &anna);
    factory.write("environment.hcl", APPROVED);
    let filed = policy_except(&factory.workspace, &exception(&factory, "mallory")).expect("it is written");
    let why = |factory: &Factory| {
        let planned = factory.plan();
        assert_eq!(messages(&planned), ["kept for 7 days"]);
        planned.policy.void.first().map(|void| void.why.clone()).unwrap_or_default()
    };
    assert!(why(&factory).contains("no line of the allowed signers has its key"), "{}", why(&factory));
    std::fs::remove_file(factory.path().join(filed.signature.expect("a signature"))).expect("it goes");
    std::fs::remove_file(factory.path().join(&filed.file)).expect("it goes");
    let filed = policy_except(&factory.workspace, &exception(&factory, "anna")).expect("it is written");
    // Whoever made the plan does not except themselves.
    factory.workspace.actor = "anna".into();
    assert!(why(&factory).contains("who made the plan"), "{}", why(&factory));
    factory.workspace.actor = "tester@host".into();
    factory.write("approvers", &anna.replace("formwork.exception,", ""));
    assert!(why(&factory).contains("for other namespaces"), "{}", why(&factory));
    factory.write("approvers", &anna.replace("namespaces", "valid-before=\"20200101\",namespaces"));
    assert!(why(&factory).contains("was valid until"), "{}", why(&factory));
    factory.write("approvers", &anna);
    let text = std::fs::read_to_string(factory.path().join(&filed.file)).expect("the exception");
    factory.write(&filed.file, &text.replace("sandbox_log_store.*", "*_log_store.*"));
    assert!(why(&factory).contains("altered"), "{}", why(&factory));
    factory.write(&filed.file, &text);
    assert_eq!(messages(&factory.plan()), Vec::<String>::new());
    factory.write("environment.hcl", "environment \"prod\" { }\n");
    assert!(why(&factory).contains("allowed_signers"), "{}", why(&factory));
}

#[test]
fn a_plan_cannot_bring_the_signer_of_its_own_exception() {
    let mut factory = factory(NO_SHORT_LOGS);
    let (Some(anna), Some(mallory)) = (key(&factory, "anna"), key(&factory, "mallory")) else { return };
    factory.write("approvers", &anna);
    factory.write("environment.hcl", APPROVED);
    set(&mut factory, "days", "30");
    assert!(factory.apply_planned(factory.plan()).is_complete());
    set(&mut factory, "days", "7");
    factory.write("approvers", &format!("{anna}{mallory}"));
    policy_except(&factory.workspace, &exception(&factory, "mallory")).expect("it is written");
    assert_eq!(messages(&factory.plan()), ["kept for 7 days"]);
}

#[test]
fn an_exception_of_a_revoked_key_does_not_count() {
    let factory = factory(NO_SHORT_LOGS);
    let Some(anna) = key(&factory, "anna") else { return };
    factory.write("approvers", &anna);
    factory.write("environment.hcl", APPROVED);
    policy_except(&factory.workspace, &exception(&factory, "anna")).expect("it is written");
    assert_eq!(messages(&factory.plan()), Vec::<String>::new());
    let public = std::fs::read_to_string(factory.path().join("anna.pub")).expect("a public key");
    factory.write("revoked", &public);
    factory.write(
        "environment.hcl",
        &APPROVED
            .replace("\"approvers\"", "\"approvers\"\n    revoked_keys    = \"revoked\"\n  ")
            .replace("{ allowed", "{\n    allowed"),
    );
    let planned = factory.plan();
    assert_eq!(messages(&planned), ["kept for 7 days"]);
    assert!(planned.policy.void[0].why.contains("revoked"), "{:?}", planned.policy.void);
}

#[test]
fn what_a_policy_demands_is_given_by_signatures() {
    let factory = factory(
        "package logs\nrequire_approval contains {\"msg\": \"logs are evidence\", \"group\": \"security\"} if \
         input.resource_changes[0].change.actions == [\"create\"]\n",
    );
    let (Some(anna), Some(bert)) = (key(&factory, "anna"), key(&factory, "bert")) else { return };
    factory.write("approvers", &format!("{anna}{bert}"));
    factory.write(
        "environment.hcl",
        "environment \"prod\" {\n  approval {\n    allowed_signers = \"approvers\"\n    \
         group \"security\" { members = [\"anna\"] }\n  }\n}\n",
    );
    let planned = factory.plan();
    let required = planned.plan.header.approval.required.clone();
    assert_eq!(required.iter().map(|one| (&*one.group, one.count)).collect::<Vec<_>>(), [("security", 1)]);
    let why = refused(&factory, planned, Consent::Person);
    assert!(why.contains("1 approval of `security`") && why.contains("logs are evidence"), "{why}");
    let plan = factory.path().join("prod.plan");
    save_plan(&factory.plan(), &plan).unwrap_or_else(|failed| panic!("not kept: {failed}"));
    let open = || factory.try_open(&plan).unwrap_or_else(|failed| panic!("not opened: {failed}"));
    let sign = |person: &str| {
        let KeyFile::Private(key) = key_file(&factory.path().join(person)).expect("a key") else {
            panic!("it is locked")
        };
        approve_plan(&factory.workspace, &mut open(), &Signer::Key(key)).unwrap_or_else(|why| panic!("{why}"));
    };
    sign("bert");
    let why = refused(&factory, open(), Consent::PlanFile);
    assert!(why.contains("the plan needs 1 approval of `security`") && why.contains("logs are evidence"), "{why}");
    sign("anna");
    assert!(factory.apply_planned(open()).is_complete());
}

#[test]
fn a_change_of_policies_is_of_the_grade_that_rules_ask_by() {
    let mut factory = factory(NO_SHORT_LOGS);
    let Some(anna) = key(&factory, "anna") else { return };
    factory.write("approvers", &anna);
    factory.write(
        "environment.hcl",
        "environment \"prod\" {\n  approval {\n    allowed_signers = \"approvers\"\n    \
         group \"security\" { members = [\"anna\"] }\n    require \"security\" { risk = \"high\" }\n  }\n}\n",
    );
    set(&mut factory, "days", "30");
    assert!(factory.apply_planned(factory.plan()).is_complete());
    factory.write("policy/logs.rego", "package logs\n");
    let why = refused(&factory, factory.plan(), Consent::Person);
    assert!(why.contains("1 approval of `security`"), "{why}");
}

#[test]
fn an_exception_needs_a_reason_and_something_that_it_is_about() {
    let factory = factory(NO_SHORT_LOGS);
    let base = NewException { key: None, ..exception(&factory, "nobody") };
    for wrong in [
        NewException { address: None, ..base.clone() },
        NewException { address: Some("*".into()), ..base.clone() },
        NewException { reason: " ".into(), ..base.clone() },
        NewException { until: "2023-11-13".into(), ..base.clone() },
        NewException { until: "soon".into(), ..base.clone() },
    ] {
        assert!(policy_except(&factory.workspace, &wrong).is_err(), "{wrong:?}");
    }
    assert!(!factory.path().join("policy/exceptions").exists());
}

#[test]
fn the_starter_set_passes_its_tests_and_goes_through_every_line() {
    let factory = Factory::new("");
    let written = policy_init(&factory.workspace).expect("it is written");
    assert!(written.contains(&"policy/factory/public.rego".to_owned()), "{written:?}");
    let report = policy_test(&factory.path().join("policy"), "policy", true).unwrap_or_else(|why| panic!("{why}"));
    let bad: Vec<_> = report
        .results
        .iter()
        .filter(|result| !matches!(result.outcome, formwork::workflow::TestOutcome::Pass))
        .collect();
    assert!(report.is_good(), "{bad:#?}");
    assert!(report.results.len() >= 40, "only {} tests", report.results.len());
    let missed: Vec<_> = report.coverage.iter().flatten().filter(|file| !file.not_covered.is_empty()).collect();
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(policy_init(&factory.workspace).is_err(), "it is not written twice");
}

#[test]
fn the_starter_set_judges_the_sandbox() {
    let factory = Factory::new(
        r#"
resource "sandbox_log_store" "audit" {
  name           = "audit"
  retention_days = 7
  encrypted      = false
}
resource "sandbox_policy" "all" {
  name     = "all"
  document = jsonencode({ Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
  tags     = { factory = "a", stage = "b" }
}
"#,
    );
    policy_init(&factory.workspace).expect("it is written");
    let planned = factory.plan();
    let denied: Vec<String> = planned
        .policy
        .denied
        .iter()
        .map(|v| format!("{} {}", v.rule.as_deref().unwrap_or_default(), v.address.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        denied,
        [
            "factory.encryption.deny sandbox_log_store.audit",
            "factory.identity.deny sandbox_policy.all",
            "factory.logging.deny sandbox_log_store.audit",
            "factory.tags.deny sandbox_log_store.audit",
        ]
    );
}

#[test]
fn the_starter_set_has_nothing_against_the_quickstart() {
    let mut factory = Factory::new("");
    std::fs::remove_file(factory.path().join("main.hcl")).expect("it goes");
    factory.write("factory.hcl", include_str!("../../examples/quickstart/factory.hcl"));
    policy_init(&factory.workspace).expect("it is written");
    for environment in ["dev", "prod"] {
        factory.workspace.environment = Some(environment.into());
        assert_eq!(messages(&factory.plan()), Vec::<String>::new(), "{environment}");
    }
}

#[test]
fn a_test_that_fails_or_breaks_is_told() {
    let factory = Factory::new("");
    factory.write("policy/a.rego", "package a\n\nallowed if input.ok\n\nother if input.other\n");
    factory.write(
        "policy/a_test.rego",
        "package a_test\n\nimport data.a\n\ntest_good if a.allowed with input as {\"ok\": true}\n\n\
         test_bad if {\n\tprint(\"seen\")\n\ta.allowed with input as {}\n}\n\n\
         test_broken if to_number(\"x\") == 1\n\ntodo_test_later if false\n",
    );
    let report = policy_test(&factory.path().join("policy"), "policy", true).unwrap_or_else(|why| panic!("{why}"));
    // A rule that no test asks for is not gone through, though its package is imported.
    let missed: Vec<u32> = report.coverage.iter().flatten().flat_map(|file| file.not_covered.clone()).collect();
    assert_eq!(missed, [5]);
    let outcomes: Vec<(String, String)> = report
        .results
        .iter()
        .map(|result| (result.name.clone(), format!("{:?}", result.outcome).chars().take(5).collect()))
        .collect();
    let expected = [
        ("a_test.test_bad", "Fail"),
        ("a_test.test_broken", "Error"),
        ("a_test.test_good", "Pass"),
        ("a_test.todo_test_later", "Skipp"),
    ];
    assert_eq!(outcomes, expected.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())));
    assert!(report.results[0].printed[0].contains("seen"), "{:?}", report.results[0].printed);
    assert!(!report.is_good());
}
