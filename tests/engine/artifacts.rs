//! Artifacts from a block to a provider: what a plan needs is there, is what its digest says, and stays as long as
//! something can go back to it.

use std::fs;
use std::path::PathBuf;

use formwork::workflow::{
    AddRequest, ArtifactState, CollectRequest, Failure, PlanRequest, VariableSource, artifacts_add, artifacts_gc,
    artifacts_list, artifacts_remove, artifacts_verify,
};

use crate::factory::{Factory, actions, told};
use crate::fake::Fake;

/// Nobody watches.
struct Unwatched;

impl formwork::workflow::Meter for Unwatched {
    fn moved(&self, _what: &str, _done: u64, _total: Option<u64>) {}
}

const FROM_REPOSITORY: &str = r#"
artifact "app" { source = "./app.bin" }
resource "fake_thing" "a" { name = artifact.app.id }
output "app" { value = artifact.app }
"#;

/// SHA-256 of nothing that anybody has.
const NOBODYS: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id(bytes: &[u8]) -> String {
    format!("sha256:{}", digest(bytes))
}

fn add(factory: &Factory, name: &str, file: &str) -> String {
    let request = AddRequest { name: name.into(), sources: vec![file.into()], ..AddRequest::default() };
    let added = artifacts_add(&factory.workspace, &request, &Unwatched);
    added.unwrap_or_else(|failed| panic!("not added: {failed}")).facts.digest.hex().to_owned()
}

fn store(factory: &Factory) -> PathBuf {
    factory.workspace.store.clone().unwrap_or_else(|| factory.path().join(".formwork/artifacts"))
}

fn blob(factory: &Factory, bytes: &[u8]) -> PathBuf {
    store(factory).join("blobs/sha256").join(digest(bytes))
}

fn collect(factory: &Factory, revisions: Option<usize>) -> usize {
    let request = CollectRequest { dry_run: false, revisions };
    let collected =
        artifacts_gc(&factory.workspace, request).unwrap_or_else(|failed| panic!("not collected: {failed}"));
    collected.artifacts.len()
}

fn refused(result: Result<impl Sized, Failure>) -> String {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(failed) => told(&failed),
    }
}

#[test]
fn a_file_of_the_repository_reaches_a_provider() {
    let (factory, fake) = Fake::factory(FROM_REPOSITORY);
    factory.write("app.bin", "version 1");
    let outcome = factory.apply();
    assert_eq!(fake.world().artifacts_read[&id(b"version 1")], b"version 1");
    let (app, _) = &outcome.outputs["app"];
    assert_eq!(app.get_str("id"), Some(&*id(b"version 1")));
    assert_eq!(app.get_str("sha256"), Some(&*digest(b"version 1")));
    assert_eq!((app.get_str("kind"), app.get_str("name")), (Some("file"), Some("app")));
    assert_eq!(app.get("size"), Some(&9.into()));
}

#[test]
fn a_module_names_its_own_files() {
    let (factory, fake) = Fake::factory("module \"web\" {\n  source = \"./web\"\n}\n");
    factory.write("web/main.hcl", FROM_REPOSITORY);
    factory.write("web/app.bin", "of the module");
    factory.apply();
    assert!(fake.world().artifacts_read.contains_key(&id(b"of the module")));
}

#[test]
fn a_plan_file_is_bound_to_the_bytes_that_it_was_made_with() {
    let (factory, fake) = Fake::factory(FROM_REPOSITORY);
    factory.write("app.bin", "planned");
    let file = factory.path().join("kept.plan");
    formwork::workflow::save_plan(&factory.plan(), &file).expect("it is kept");
    factory.write("app.bin", "changed since");
    let text = fs::read_to_string(&file).expect("a plan file");
    assert!(text.contains(&id(b"planned")), "the file names the digest");
    let planned = factory.try_open(&file).unwrap_or_else(|failed| panic!("not opened: {failed}"));
    assert!(planned.plan.header.artifacts[0].needed);
    assert!(factory.apply_planned(planned).is_complete());
    assert!(fake.world().artifacts_read.contains_key(&id(b"planned")));
    assert!(!fake.world().artifacts_read.contains_key(&id(b"changed since")));
}

#[test]
fn what_is_missing_is_told_by_the_plan_with_the_line_that_adds_it() {
    let blueprint = format!(
        "artifact \"debs\" {{\n  source = \"docker-debs\"\n  kind = \"deb\"\n  sha256 = \"{NOBODYS}\"\n}}\n\
         artifact \"agent\" {{\n  source = \"/media/usb/agent\"\n  sha256 = \"{NOBODYS}\"\n}}\n\
         resource \"fake_thing\" \"a\" {{ name = artifact.debs.id }}\n\
         resource \"fake_thing\" \"b\" {{ name = artifact.agent.id }}\n"
    );
    let (factory, fake) = Fake::factory(&blueprint);
    let said = refused(factory.try_plan(&PlanRequest::default()));
    assert!(said.contains("`artifact.debs` is not in the store"), "{said}");
    assert!(said.contains(&format!("formwork artifacts add docker-debs PATH --kind deb --sha256 {NOBODYS}")), "{said}");
    assert!(said.contains(&format!("formwork artifacts add agent /media/usb/agent --sha256 {NOBODYS}")), "{said}");
    assert_eq!(fake.world().standing(), 0);
}

#[test]
fn what_no_step_reads_need_not_be_there() {
    let blueprint = format!(
        "artifact \"unused\" {{\n  source = \"unused\"\n  sha256 = \"{NOBODYS}\"\n}}\n\
         resource \"fake_thing\" \"a\" {{ name = \"plain\" }}\n"
    );
    let (factory, _) = Fake::factory(&blueprint);
    factory.apply();
}

#[test]
fn an_artifact_behind_an_unknown_value_is_needed_too() {
    let blueprint = format!(
        "artifact \"app\" {{\n  source = \"app\"\n  sha256 = \"{NOBODYS}\"\n}}\n\
         locals {{ digest = artifact.app.sha256 }}\n\
         resource \"fake_thing\" \"first\" {{ name = \"first\" }}\n\
         resource \"fake_thing\" \"a\" {{ name = \"${{fake_thing.first.id}} ${{upper(local.digest)}}\" }}\n"
    );
    let (factory, _) = Fake::factory(&blueprint);
    let said = refused(factory.try_plan(&PlanRequest::default()));
    assert!(said.contains("`artifact.app` is not in the store"), "{said}");
}

#[test]
fn another_digest_than_the_blueprint_says_is_refused() {
    let (factory, fake) = Fake::factory(
        &FROM_REPOSITORY
            .replace("source = \"./app.bin\"", &format!("\n  source = \"./app.bin\"\n  sha256 = \"{NOBODYS}\"\n")),
    );
    factory.write("app.bin", "something else");
    let said = refused(factory.try_plan(&PlanRequest::default()));
    assert!(said.contains(NOBODYS) && said.contains(&digest(b"something else")), "{said}");
    assert_eq!(fake.world().standing(), 0);
    let request = AddRequest {
        name: "app".into(),
        sources: vec!["app.bin".into()],
        digest: Some(NOBODYS.parse().expect("a digest")),
        ..AddRequest::default()
    };
    let said = refused(artifacts_add(&factory.workspace, &request, &Unwatched));
    assert!(said.contains("is not what its digest says"), "{said}");
    let view = artifacts_list(&factory.workspace).expect("a list");
    assert!(view.rows.iter().all(|row| row.name.is_none()), "nothing was listed");
}

#[test]
fn a_blob_that_was_damaged_since_the_plan_stops_the_apply_before_its_first_step() {
    let (factory, fake) =
        Fake::factory(&format!("{FROM_REPOSITORY}resource \"fake_thing\" \"b\" {{ name = \"b\" }}\n"));
    factory.write("app.bin", "version 1");
    let planned = factory.plan();
    fs::write(blob(&factory, b"version 1"), "version X").expect("it is damaged");
    let said = refused(factory.try_apply(planned));
    assert!(said.contains("is damaged in the store") && said.contains("`artifact.app`"), "{said}");
    assert_eq!(fake.world().standing(), 0, "nothing was begun");
    let verified = artifacts_verify(&factory.workspace, &Unwatched).expect("it is verified");
    assert_eq!(verified.damaged.len(), 1);
    assert!(verified.damaged[0].blob.contains(&digest(b"version 1")));
    // Adding it again repairs it; a plan as well, once the blob is gone.
    fs::remove_file(blob(&factory, b"version 1")).expect("it goes");
    factory.apply();
    assert!(artifacts_verify(&factory.workspace, &Unwatched).expect("verified").damaged.is_empty());
}

#[test]
fn a_rollback_reads_the_older_artifact_after_a_collection() {
    let (factory, fake) = Fake::factory(FROM_REPOSITORY);
    for version in ["version 1", "version 2", "version 3"] {
        factory.write("app.bin", version);
        factory.apply();
    }
    assert_eq!(collect(&factory, None), 0, "every revision can be gone back to");
    fs::remove_file(factory.path().join("app.bin")).expect("the repository has no such file any more");
    fake.world().artifacts_read.clear();
    factory.rollback(Some(1));
    assert_eq!(fake.world().artifacts_read.keys().collect::<Vec<_>>(), [&id(b"version 1")]);
}

#[test]
fn a_collection_keeps_what_the_last_revisions_need() {
    let (factory, fake) = Fake::factory(FROM_REPOSITORY);
    for version in ["version 1", "version 2", "version 3"] {
        factory.write("app.bin", version);
        factory.apply();
    }
    let dry = artifacts_gc(&factory.workspace, CollectRequest { dry_run: true, revisions: Some(2) }).expect("a look");
    assert_eq!(dry.artifacts.len(), 1);
    assert!(blob(&factory, b"version 1").exists(), "a dry run takes nothing");
    assert_eq!(collect(&factory, Some(2)), 1);
    assert!(!blob(&factory, b"version 1").exists());
    assert!(blob(&factory, b"version 2").exists() && blob(&factory, b"version 3").exists());
    let said = refused(factory.block_on(formwork::workflow::rollback_plan(
        &factory.workspace,
        Some(1),
        &formwork::workflow::Silent,
    )));
    assert!(said.contains(&digest(b"version 1")) && said.contains("formwork artifacts add"), "{said}");
    factory.rollback(Some(2));
    assert!(fake.world().artifacts_read.contains_key(&id(b"version 2")));
}

#[test]
fn a_run_that_broke_is_taken_back_to_the_artifact_from_before() {
    let (mut factory, fake) = Fake::factory(&format!(
        "variable \"word\" {{ default = \"one\" }}\n{FROM_REPOSITORY}\
         resource \"fake_thing\" \"z\" {{\n  name = var.word\n  depends_on = [fake_thing.a]\n}}\n"
    ));
    factory.write("app.bin", "version 1");
    factory.apply();
    factory.write("app.bin", "version 2");
    factory.workspace.variables.push(VariableSource::Argument { name: "word".into(), text: "two".into() });
    fake.world().refused = vec!["update two".into()];
    let broken = factory.apply_planned(factory.plan());
    assert!(!broken.is_complete());
    assert_eq!(collect(&factory, None), 0);
    fake.world().artifacts_read.clear();
    let planned = factory.rollback_planned(None);
    let needed: Vec<&str> = planned
        .plan
        .header
        .artifacts
        .iter()
        .filter(|artifact| artifact.needed)
        .map(|artifact| artifact.facts.digest.hex())
        .collect();
    assert_eq!(needed, [digest(b"version 1")]);
    assert!(factory.apply_planned(planned).is_complete());
    assert_eq!(fake.world().artifacts_read.keys().collect::<Vec<_>>(), [&id(b"version 1")]);
}

#[test]
fn a_factory_is_taken_down_without_its_artifacts() {
    let (factory, fake) = Fake::factory(FROM_REPOSITORY);
    factory.write("app.bin", "version 1");
    factory.apply();
    fs::remove_dir_all(store(&factory)).expect("the store is gone");
    fs::remove_file(factory.path().join("app.bin")).expect("and the file");
    factory.destroy();
    assert_eq!(fake.world().standing(), 0);
}

#[test]
fn a_shared_store_keeps_what_another_blueprint_needs() {
    let shared = tempfile::tempdir().expect("a folder");
    let (mut one, _) = Fake::factory(FROM_REPOSITORY);
    let (mut other, fake) = Fake::factory(FROM_REPOSITORY);
    for factory in [&mut one, &mut other] {
        factory.workspace.store = Some(shared.path().join("store"));
    }
    one.write("app.bin", "of one");
    one.apply();
    for version in ["of the other", "of the other, later"] {
        other.write("app.bin", version);
        other.apply();
    }
    assert_eq!(collect(&one, None), 0);
    assert_eq!(collect(&one, Some(1)), 0, "it decides for its own revisions alone");
    fake.world().artifacts_read.clear();
    other.rollback(Some(1));
    assert!(fake.world().artifacts_read.contains_key(&id(b"of the other")));
}

#[test]
fn what_has_no_name_any_more_and_no_block_is_collected() {
    let (factory, _) = Fake::factory("");
    factory.write("one", "one");
    factory.write("two", "two");
    add(&factory, "app", "one");
    add(&factory, "kept", "two");
    add(&factory, "app", "two");
    assert_eq!(collect(&factory, None), 1, "`app` means something else now");
    assert!(!blob(&factory, b"one").exists() && blob(&factory, b"two").exists());
    artifacts_remove(&factory.workspace, "app").expect("the name goes");
    assert_eq!(collect(&factory, None), 0, "`kept` is the same");
    artifacts_remove(&factory.workspace, "kept").expect("the name goes");
    assert!(refused(artifacts_remove(&factory.workspace, "kept")).contains("nothing called `kept`"));
    assert_eq!(collect(&factory, None), 1);
    assert!(!blob(&factory, b"two").exists());
}

#[test]
fn a_block_keeps_what_it_names_and_the_list_says_so() {
    let (factory, _) = Fake::factory("");
    factory.write("one", "one");
    let digest = add(&factory, "app", "one");
    factory.write(
        "main.hcl",
        &format!(
            "artifact \"mine\" {{\n  source = \"app\"\n  sha256 = \"{digest}\"\n}}\n\
             artifact \"lost\" {{\n  source = \"lost\"\n  sha256 = \"{NOBODYS}\"\n}}\n\
             artifact \"near\" {{ source = \"./near\" }}\n"
        ),
    );
    factory.write("near", "near");
    artifacts_remove(&factory.workspace, "app").expect("the name goes");
    assert_eq!(collect(&factory, None), 0);
    let view = artifacts_list(&factory.workspace).expect("a list");
    let rows: Vec<(ArtifactState, &str)> = view.rows.iter().map(|row| (row.state, &*row.used_by[0])).collect();
    assert_eq!(
        rows,
        [
            (ArtifactState::Here, "artifact.mine"),
            (ArtifactState::Missing, "artifact.lost"),
            (ArtifactState::ToBeTaken, "artifact.near")
        ]
    );
}

#[test]
fn a_changed_file_changes_what_is_made_of_it() {
    let (factory, _) = Fake::factory(FROM_REPOSITORY);
    factory.write("app.bin", "version 1");
    factory.apply();
    factory.write("app.bin", "version 2");
    assert_eq!(actions(&factory.plan().plan), ["update fake_thing.a"]);
}
