//! What opening makes, and what it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use formwork_contract::json::Seal;
use tempfile::TempDir;

use crate::record::testing::*;
use crate::record::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn refusal(options: &OpenOptions) -> RecordError {
    match Record::open(options) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn a_new_record_is_made_with_its_folders_for_its_owner_only() {
    let folder = folder();
    let options = options(&folder.path().join("a/b"));
    assert!(!Record::exists(&options.path));
    let record = Record::open(&options).expect("a new record");
    assert!(Record::exists(&options.path));
    assert_eq!((mode(&options.path), mode(&options.identity)), (0o600, 0o600));
    assert_eq!(record.serial().expect("a serial"), 0);
    assert_eq!(record.resources().expect("none"), []);
    assert_eq!(record.outputs().expect("none"), serde_json::json!({}));
    let (id, sealed) = (record.id().to_owned(), record.vault().seal(b"x"));
    drop(record);
    let again = Record::open(&options).expect("the same record");
    assert_eq!(again.id(), id);
    assert_eq!(again.vault().open(&sealed).expect("it opens"), b"x");
}

#[test]
fn an_identity_that_is_there_is_used() {
    let folder = folder();
    let options = options(folder.path());
    let identity = age::x25519::Identity::generate();
    let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    fs::write(&options.identity, format!("# created by hand\n\n{text}\n")).expect("written");
    drop(Record::open(&options).expect("a new record"));
    assert!(fs::read_to_string(&options.identity).expect("a file").contains("by hand"));
    Record::open(&options).expect("it opens with it");
}

#[test]
fn a_record_never_gets_a_new_key() {
    let folder = folder();
    let options = options(folder.path());
    drop(Record::open(&options).expect("a new record"));
    fs::remove_file(&options.identity).expect("removed");
    let missing = refusal(&options);
    assert!(matches!(&missing, RecordError::MissingIdentity { path, .. } if *path == options.identity), "{missing}");
    assert!(missing.hint().expect("a hint").contains("age1"));
    assert!(!options.identity.exists());

    fs::write(&options.identity, "nonsense\n").expect("written");
    assert!(matches!(refusal(&options), RecordError::UnusableIdentity { .. }));
    fs::write(&options.identity, "# nothing\n").expect("written");
    assert!(matches!(refusal(&options), RecordError::UnusableIdentity { .. }));

    let other = testing::options(&folder.path().join("other"));
    drop(Record::open(&other).expect("another record"));
    fs::copy(&other.identity, &options.identity).expect("copied");
    assert!(matches!(refusal(&options), RecordError::WrongIdentity { .. }));
}

#[test]
fn the_record_of_another_environment_is_refused() {
    let folder = folder();
    let options = options(folder.path());
    drop(Record::open(&options).expect("a new record"));
    for read_only in [false, true] {
        let error = refusal(&OpenOptions { environment: "prod".into(), read_only, ..options.clone() });
        assert!(matches!(&error, RecordError::OtherEnvironment { .. }), "{error}");
        assert!(error.to_string().contains("`dev`, not to `prod`"), "{error}");
    }
}

#[test]
fn a_newer_layout_is_refused() {
    let folder = folder();
    let options = options(folder.path());
    let record = Record::open(&options).expect("a new record");
    record.connection.pragma_update(None, "user_version", 99).expect("set");
    drop(record);
    assert!(matches!(refusal(&options), RecordError::NewerVersion { found: 99, .. }));
}

#[test]
fn the_first_layout_is_brought_up_to_date_and_nothing_of_it_is_lost() {
    let folder = folder();
    let options = options(folder.path());
    let mut record = leased(folder.path());
    let unsourced = |value| RecordedResource { source: "".into(), ..resource("a.b", value) };
    record.begin(revision(vec![step("a.b", "create"), step("a.b", "update")])).expect("begun");
    let intent = |step| StepEvent { step, kind: unsourced_intent() };
    record.commit(1, &[intent(0), done(0, Some(unsourced(1)))]).expect("committed");
    record.commit(1, &[intent(1)]).expect("committed");
    for column in [
        "resources.source",
        "resources.provider_version",
        "images.source",
        "images.provider_version",
        "resources.protected",
        "images.protected",
        "journal.dependencies",
        "journal.create_before_destroy",
        "journal.protected",
    ] {
        let (table, column) = column.split_once('.').expect("a table");
        record.connection.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN {column}")).expect("dropped");
    }
    record.connection.execute_batch("ALTER TABLE journal DROP COLUMN source").expect("dropped");
    let later = "DROP TABLE adoptions; DROP TABLE changes; DROP TABLE leased; DROP TABLE approvals;
                 DROP TABLE release_events; DROP TABLE undos; DROP TABLE plans; DROP TABLE stuck;
                 DROP TABLE waivers";
    record.connection.execute_batch(later).expect("dropped");
    let before =
        "CREATE TABLE leased_addresses (address TEXT PRIMARY KEY, token INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                  CREATE INDEX leased_by_token ON leased_addresses (token)";
    record.connection.execute_batch(before).expect("made");

    record.connection.execute_batch("DROP TABLE rekeys; ALTER TABLE keys DROP COLUMN name").expect("dropped");
    record.connection.execute_batch("ALTER TABLE audit DROP COLUMN resealed").expect("dropped");
    record.connection.pragma_update(None, "user_version", 1).expect("set");
    drop(record);

    let mut record = Record::open(&options).expect("it opens");
    record.verify_audit().expect("the chain holds");
    assert_eq!(record.resources().expect("read"), [unsourced(1)]);
    assert_eq!(record.adoption().expect("read"), None);
    let open = record.open_intents().expect("read");
    assert_eq!((&*open[0].source, &open[0].meta), ("", &None));
    record.acquire(&whole("later")).expect("a lease");
    record.commit(1, &[done(1, Some(resource("a.b", 2)))]).expect("committed");
    record.verify_audit().expect("the chain holds");
    assert_eq!(record.resources().expect("read"), [resource("a.b", 2)]);
    assert_eq!(record.resources_at(0).expect("read"), []);
}

fn unsourced_intent() -> StepEventKind {
    match intended(0).kind {
        StepEventKind::Intended { attempt, provider, prior, planned, private, .. } => {
            StepEventKind::Intended { attempt, provider, source: "".into(), prior, planned, private, meta: None }
        }
        other => other,
    }
}

#[test]
fn an_older_layout_is_left_alone_when_only_reading() {
    let folder = folder();
    let options = options(folder.path());
    let record = Record::open(&options).expect("a new record");
    record.connection.pragma_update(None, "user_version", 0).expect("set");
    drop(record);
    let error = refusal(&OpenOptions { read_only: true, ..options });
    assert!(matches!(error, RecordError::OlderVersion { found: 0, .. }), "{error}");
}

#[test]
fn what_is_not_a_record_is_refused_and_left_as_it_is() {
    let folder = folder();
    let options = options(folder.path());
    let text = "this is text, and long enough to be read as a header of a database file. ".repeat(20);
    fs::write(&options.path, &text).expect("written");
    let error = refusal(&options);
    assert!(matches!(&error, RecordError::Corrupt { path, .. } if *path == options.path), "{error}");
    assert_eq!(fs::read_to_string(&options.path).expect("a file"), text);
    assert!(!options.identity.exists());

    fs::remove_file(&options.path).expect("removed");
    let other = Connection::open(&options.path).expect("a database");
    other.execute_batch("CREATE TABLE notes (text TEXT)").expect("a table");
    drop(other);
    let error = refusal(&options);
    assert!(error.to_string().contains("another program"), "{error}");
}

#[test]
fn a_damaged_record_is_refused_or_its_damage_is_found() {
    let folder = folder();
    let options = options(folder.path());
    let mut record = leased(folder.path());
    let steps = (0..50).map(|number| step(&format!("a.b[{number}]"), "create")).collect();
    record.begin(revision(steps)).expect("begun");
    for number in 0..50 {
        let made = resource(&format!("a.b[{number}]"), 1);
        record.commit(1, &[intended(number), done(number, Some(made))]).expect("committed");
    }
    drop(record);
    let whole_file = fs::read(&options.path).expect("a file");
    for (start, length) in [(0, 200), (4096, 4096), (8192, 20_000), (whole_file.len() - 6000, 6000)] {
        let mut damaged = whole_file.clone();
        damaged[start..start + length].fill(0xa5);
        fs::write(&options.path, &damaged).expect("written");
        let found = Record::open(&options).and_then(|record| {
            record.resources()?;
            record.history()?;
            record.verify_audit()
        });
        let error = found.expect_err("damage is found");
        let named = matches!(&error, RecordError::Corrupt { .. } | RecordError::AuditBroken(_));
        assert!(named, "{start}: {error:?}");
    }
}

#[test]
fn reading_only_neither_makes_nor_writes() {
    let folder = folder();
    let options = OpenOptions { read_only: true, ..options(folder.path()) };
    assert!(matches!(refusal(&options), RecordError::NotFound { .. }));
    assert!(!options.path.exists());
    drop(leased(folder.path()));
    let mut record = Record::open(&options).expect("it opens");
    assert_eq!(record.history().expect("none"), []);
    assert!(matches!(record.acquire(&whole("reader")), Err(RecordError::Unwritable { .. })));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").expect("written");
    let options = options(&folder.path().join("file/sub"));
    let error = refusal(&options);
    assert!(matches!(&error, RecordError::Unwritable { path, .. } if *path == options.path), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_record_that_is_being_written_elsewhere_says_so() {
    let folder = folder();
    let mut record = leased(folder.path());
    record.connection.busy_timeout(std::time::Duration::ZERO).expect("set");
    let mut other = Record::open(&options(folder.path())).expect("it opens");
    let held = other.connection.transaction_with_behavior(TransactionBehavior::Immediate).expect("a transaction");
    let error = record.begin(revision(vec![])).expect_err("it is busy");
    assert!(matches!(&error, RecordError::Busy { path } if path.ends_with("dev.record")), "{error:?}");
    drop(held);
    record.begin(revision(vec![])).expect("it goes on");
}
