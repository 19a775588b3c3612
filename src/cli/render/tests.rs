//! What people see of a plan, as snapshots.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use formwork_contract::{Address, Block, Contents, Marks, Mode, ModulePath, Nesting, Path, Step, Str, Type, Value};

use super::plan::plan as render;
use super::style::Paint;
use crate::graph::{ProviderKey, ProviderSource};
use crate::live::{Origin, ResourceKind};
use crate::plan::PlanView;
use crate::plan::model::{
    Action, Change, CheckResult, DataRead, Deferred, Drift, Header, LeftOut, OutputChange, PlanKind, Reason,
    ReplaceOrder, Reversal, Risk, Step as PlanStep, StepAction,
};
use crate::plan::release::Release;

/// What a [`PlanView`] borrows from.
#[derive(Debug)]
pub(crate) struct Parts {
    header: Header,
    changes: Vec<Change>,
    drift: Vec<Drift>,
    outputs: BTreeMap<Str, OutputChange>,
    deferred: Vec<Deferred>,
    left_out: LeftOut,
    data: BTreeMap<Address, DataRead>,
    checks: Vec<CheckResult>,
    steps: Vec<PlanStep>,
    release: Release,
}

impl<'a> From<&'a Parts> for PlanView<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            header: &parts.header,
            changes: &parts.changes,
            drift: &parts.drift,
            outputs: &parts.outputs,
            deferred: &parts.deferred,
            left_out: &parts.left_out,
            data: &parts.data,
            checks: &parts.checks,
            steps: &parts.steps,
            release: &parts.release,
        }
    }
}

/// A plan with nothing in it, to be filled by a test.
pub(crate) fn empty_plan() -> Parts {
    Parts {
        header: Header {
            formwork_version: "0.1.0".into(),
            created_ms: 1_795_000_000_000,
            kind: PlanKind::Apply,
            environment: "dev".into(),
            target: Some("sandbox".into()),
            record_id: "r".into(),
            record_serial: 1,
            record_revision: 1,
            bound: Default::default(),
            providers: Default::default(),
            git: None,
            author: Default::default(),
            files: BTreeMap::new(),
            variables: BTreeMap::new(),
            given_again: Default::default(),
            artifacts: Vec::new(),
            on_failure: Default::default(),
            approval: Default::default(),
        },
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: BTreeMap::new(),
        deferred: Vec::new(),
        left_out: LeftOut::default(),
        data: BTreeMap::new(),
        checks: Vec::new(),
        steps: Vec::new(),
        release: Release::default(),
    }
}

fn kind(block: Block) -> ResourceKind {
    let ty = block.ty();
    let source = ProviderSource::of_name("sandbox", &["sandbox"]);
    let origin = Arc::new(Origin { source, version: None });
    ResourceKind { name: "a".into(), mode: Mode::Managed, origin, version: 0, block, ty, contents: Contents::Nothing }
}

pub(crate) fn change(address: &str, action: Action, before: Value, after: Value) -> Change {
    let address: Address = address.parse().expect("an address");
    Change {
        provider: ProviderKey { module: ModulePath::root(), name: "sandbox".into(), alias: None },
        address,
        moved_from: None,
        deposed: None,
        action,
        reason: None,
        importing: None,
        before,
        after,
        config: Value::NULL,
        replace_paths: Vec::new(),
        kind: Arc::new(kind(Block::default())),
        private: Default::default(),
        planned_private: Default::default(),
        risk: Risk::Low,
        risk_reasons: Vec::new(),
        protection: Default::default(),
        preflight: None,
        dependencies: Default::default(),
        recorded_dependencies: Default::default(),
        create_before_destroy: false,
        drifted: false,
        tainted: false,
        span: None,
    }
}

fn machine(image: &str, tags: &[(&str, &str)]) -> Value {
    let tags = tags.iter().map(|(key, value)| ((*key).into(), Value::from(*value))).collect();
    Value::object([
        ("id", Value::from("m-1")),
        ("image", Value::from(image)),
        ("ports", Value::list(Type::Number, vec![Value::from(22), Value::from(443)])),
        ("size", Value::from("small")),
        ("tags", Value::map(Type::String, tags)),
        ("user_data", Value::from("#!/bin/sh\necho one\necho two\n")),
    ])
}

fn secret(text: &str) -> Value {
    Value::from(text).mark(Marks::SENSITIVE)
}

fn pool(name: &str, size: i64) -> Value {
    Value::object([("max", Value::from(size)), ("name", Value::from(name))])
}

fn pools(pools: Vec<Value>) -> Value {
    Value::list(Type::object([("max", Type::Number), ("name", Type::String)]), pools)
}

fn replacement() -> Change {
    let before = machine("debian-12", &[("env", "dev")]);
    let after = machine("debian-13", &[("env", "dev"), ("team", "core")])
        .with("id", Value::unknown(Type::String))
        .with("user_data", Value::from("#!/bin/sh\necho one\necho 2\n"));
    Change {
        replace_paths: vec![Path::attribute("image")],
        reason: Some(Reason::CannotUpdate),
        risk: Risk::High,
        ..change(
            r#"module.web["eu"].sandbox_machine.web[0]"#,
            Action::Replace(ReplaceOrder::DeleteFirst),
            before,
            after,
        )
    }
}

fn rich_plan() -> Parts {
    let mut plan = empty_plan();
    let cluster = |version: &str, password: &str, pools: Value, policy: &str| {
        Value::object([
            ("id", Value::from("c-1")),
            ("version", Value::from(version)),
            ("password", secret(password)),
            ("node_pool", pools),
            ("policy", Value::from(policy)),
        ])
    };
    let network = Value::object([
        ("cidr_block", Value::from("10.0.0.0/16")),
        ("id", Value::unknown(Type::String)),
        ("name", Value::from("net")),
        ("tags", Value::map(Type::String, [("env".into(), Value::from("dev"))].into_iter().collect())),
        ("description", Value::Null(Type::String)),
    ]);
    plan.changes = vec![
        Change {
            reason: Some(Reason::NoSuchInstance),
            ..change("terraform_data.old[1]", Action::Delete, Value::object([("id", Value::from("x"))]), Value::NULL)
        },
        Change {
            moved_from: Some("terraform_data.before".parse().expect("an address")),
            ..change("terraform_data.moved", Action::NoOp, Value::object([("id", Value::from("y"))]), Value::NULL)
        },
        Change {
            kind: Arc::new(kind(Block::default().with_block("node_pool", Nesting::List, Block::default()))),
            ..change(
                "component.cluster.main.sandbox_cluster.this",
                Action::Update,
                cluster("1.30", "a", pools(vec![pool("a", 3), pool("b", 1)]), r#"{"allow":["a","b"],"deny":[]}"#),
                cluster("1.31", "b", pools(vec![pool("a", 5), pool("b", 1)]), r#"{"allow":["a","c"],"deny":[]}"#),
            )
        },
        change("component.cluster.main.sandbox_network.this", Action::Create, Value::NULL, network),
        replacement(),
    ];
    plan.steps = vec![PlanStep {
        action: StepAction::Delete,
        change: Some(4),
        after: Vec::new(),
        reversal: Reversal::Recreate,
        fingerprint: None,
        wave: 0,
    }];
    plan.drift = vec![
        Drift {
            address: "sandbox_log_store.audit".parse().expect("an address"),
            recorded: Value::object([("id", Value::from("l-1")), ("retention_days", Value::from(30))]),
            live: Value::object([("id", Value::from("l-1")), ("retention_days", Value::from(7))]),
        },
        Drift {
            address: "sandbox_log_store.gone".parse().expect("an address"),
            recorded: Value::object([("id", Value::from("l-2"))]),
            live: Value::NULL,
        },
    ];
    plan.deferred = vec![Deferred {
        by_provider: None,
        address: "module.late".into(),
        reason: "`for_each` depends on `terraform_data.a.id`".into(),
        span: None,
    }];
    let output = |before: Value, after: Value, sensitive: bool, action: Action| OutputChange {
        before,
        after,
        sensitive,
        action,
    };
    plan.outputs.insert(
        "endpoint".into(),
        output(Value::from("https://old"), Value::unknown(Type::String), false, Action::Update),
    );
    plan.outputs.insert("kubeconfig".into(), output(Value::NULL, Value::from("hunter2"), true, Action::Create));
    plan.outputs.insert("same".into(), output(Value::from(1), Value::from(1), false, Action::NoOp));
    plan
}

#[test]
fn a_plan_with_every_kind_of_change() {
    insta::assert_snapshot!(render(&rich_plan(), Paint::PLAIN));
}

#[test]
fn colour_adds_to_the_text_and_changes_nothing() {
    let plan = rich_plan();
    let coloured = render(&plan, Paint { colour: true, ..Paint::PLAIN });
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("an escape sequence ends");
        rest = &rest[start + end + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, render(&plan, Paint::PLAIN));
    insta::assert_snapshot!(coloured.replace('\u{1b}', "^"));
}

#[test]
fn an_empty_plan_is_one_line() {
    assert_eq!(render(&empty_plan(), Paint::PLAIN), "No changes: `dev` is as the blueprint says.\n");
}

#[test]
fn nothing_sensitive_is_ever_shown() {
    let mut plan = empty_plan();
    let nested = |text: &str| {
        Value::object([
            ("list", Value::tuple(vec![secret(text), Value::from(1)])),
            ("json", Value::from("{\"plain\":true}")),
            ("whole", Value::object([("a", Value::from(text))]).mark(Marks::SENSITIVE)),
            ("turns", if text == "planted-1" { Value::from("public") } else { secret("public") }),
        ])
    };
    let (one, two) = (nested("planted-1"), nested("planted-2"));
    plan.changes = vec![
        change("a.created", Action::Create, Value::NULL, one.clone()),
        change("a.deleted", Action::Delete, one.clone(), Value::NULL),
        change("a.updated", Action::Update, one.clone(), two.clone()),
        change("a.unknown", Action::Update, one.clone(), two.with("list", Value::unknown(Type::Any))),
    ];
    plan.drift = vec![Drift { address: "a.drifted".parse().expect("an address"), recorded: one, live: two }];
    for text in [render(&plan, Paint::PLAIN), crate::plan::json::to_terraform_json(&plan).to_string()] {
        assert!(!text.contains("planted"), "{text}");
    }
    assert!(render(&plan, Paint::PLAIN).contains("becomes sensitive"));
}

#[test]
fn texts_are_compared_by_what_they_hold() {
    let cases = [
        ("a\nb\nc\n", "a\nB\nc\n"),
        ("name: web\nports:\n  - 80\n  - 443\n", "name: web\nports:\n  - 80\n  - 8443\n"),
        (r#"{"a": {"b": 1, "c": [1, 2]}}"#, r#"{"a": {"b": 2, "c": [1, 2]}}"#),
        (r#"{"a":1}"#, r#"{ "a": 1 }"#),
        ("a\n", "a"),
        ("short", "other"),
        ("esc \u{1b}[31m", "\u{202e}bidi\nline \u{7}"),
    ];
    let mut out = String::new();
    for (before, after) in cases {
        let mut plan = empty_plan();
        let value = |text: &str| Value::object([("text", Value::from(text))]);
        plan.changes = vec![change("a.b", Action::Update, value(before), value(after))];
        let _ = writeln!(out, "{}---", render(&plan, Paint::PLAIN));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_path_that_forces_replacement_may_be_inside() {
    let value = |zone: &str| {
        Value::object([("placement", Value::object([("rack", Value::from("r1")), ("zone", Value::from(zone))]))])
    };
    let mut plan = empty_plan();
    plan.changes = vec![Change {
        replace_paths: vec![Path::attribute("placement").join(Step::Attribute("zone".into()))],
        ..change("a.b", Action::Replace(ReplaceOrder::CreateFirst), value("a"), value("b"))
    }];
    let text = render(&plan, Paint::PLAIN);
    assert!(text.contains("~ zone = \"a\" -> \"b\" # forces replacement"), "{text}");
    assert_eq!(text.matches("forces replacement").count(), 1, "{text}");
}

#[test]
fn ten_thousand_changes_are_all_there() {
    let mut plan = empty_plan();
    plan.changes = (0..10_000)
        .map(|index| change(&format!("a.b[{index}]"), Action::Create, Value::NULL, machine("x", &[])))
        .collect();
    let text = render(&plan, Paint::PLAIN);
    assert_eq!(text.matches("will be created").count(), 10_000);
    assert!(text.ends_with("Plan: 10000 to add, 0 to change, 0 to replace, 0 to destroy.\n"));
}
