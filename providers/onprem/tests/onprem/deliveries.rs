//! Artifacts that do not come to a host as they should: nothing is half there, and the message says what to do.

use std::sync::Arc;

use formwork_contract::Value;
use formwork_contract::provider::{ApplyError, Context};

use crate::drive::Driver;
use crate::lab::Lab;
use crate::parcels::Parcels;

async fn driver(lab: &Lab, host: &crate::lab::Host, parcels: &Parcels) -> Driver {
    let context = Context::new("test", std::env::temp_dir()).with_artifacts(Arc::new(parcels.clone()));
    Driver::with(lab.config(&[host], &[]).await, context).await
}

fn file(path: &str, id: &str) -> [(&'static str, Value); 3] {
    [("host", "a".into()), ("path", Value::string(path)), ("artifact", Value::string(id))]
}

fn did_not_happen(error: &ApplyError, words: &[&str]) {
    let ApplyError::DidNotHappen { diagnostic, .. } = error else { panic!("{error:?}") };
    let told = format!("{diagnostic:?}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not said: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_come_whole_does_not_come() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let parcels = Parcels::default();
    let driver = driver(&lab, &host, &parcels).await;
    let id = parcels.file(&vec![7; 300_000]);
    parcels.damage(&id);
    let error = driver.create("onprem_file", &file("/opt/it", &id), "1").await.expect_err("it is damaged");
    did_not_happen(&error, &["cannot be brought to the host", "not all of it came"]);
    // A disk that is too small for it, with the ledger on it.
    host.must("mkdir -p /srv/ledger /var/lib/formwork; mount --bind /srv/ledger /var/lib/formwork");
    let large = parcels.file(&vec![9; 400_000]);
    let error = driver.create("onprem_file", &file("/opt/it", &large), "2").await.expect_err("the disk is full");
    did_not_happen(&error, &["No space left", "make room on the host's disk"]);
    let set = parcels.packages(&[("formwork-a", "1", "")]);
    let error = driver.create("onprem_file", &file("/opt/it", &set), "3").await.expect_err("it is no file");
    did_not_happen(&error, &["is not one file"]);
    let error = driver.create("onprem_file", &file("/opt/it", "sha256:00"), "4").await.expect_err("it is missing");
    did_not_happen(&error, &["there is no artifact `sha256:00`", "formwork artifacts add"]);
    assert_eq!(host.must("find /opt /srv/ledger -type f -not -path '*/locks/*'"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_of_packages_brings_what_the_host_lacks_and_starts_nothing() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let parcels = Parcels::default();
    let driver = driver(&lab, &host, &parcels).await;
    let package =
        |name: &str, id: &str| [("host", "a".into()), ("name", Value::string(name)), ("artifact", Value::string(id))];
    let newer = parcels.packages(&[("formwork-b", "2", "")]);
    driver.create("onprem_package", &package("formwork-b", &newer), "1").await.expect("it is installed");
    // What the host has newer stays, also where a set has it older.
    let set = parcels.packages(&[("formwork-a", "1", "formwork-b (>= 1)"), ("formwork-b", "1", "")]);
    let made = driver.create("onprem_package", &package("formwork-a", &set), "2").await.expect("it is installed").value;
    assert_eq!(made.get_str("version"), Some("1"));
    assert_eq!(host.must("cat /opt/formwork-a /opt/formwork-b; ls -A /var/lib/formwork/incoming"), "12");
    // Another version by hand is no longer what the artifact says.
    let older = parcels.packages(&[("formwork-a", "0.9", "")]);
    driver.update("onprem_package", &made, &package("formwork-a", &older), "3").await.expect("a downgrade is said");
    let read = driver.configured.read(&[crate::drive::reading("onprem_package", &made)]).await;
    let told = format!("{read:?}");
    assert!(told.contains("0.9") && !told.contains(set.as_str()), "{told}");
    let error = driver.create("onprem_package", &package("formwork-c", &set), "4").await.expect_err("it is not in it");
    did_not_happen(&error, &["has no Debian package `formwork-c`", "formwork-a, formwork-b"]);
    let broken = parcels.packages(&[("formwork-d", "1", "nowhere")]);
    let error = driver.create("onprem_package", &package("formwork-d", &broken), "5").await.expect_err("it needs more");
    assert!(format!("{error:?}").contains("nowhere"), "{error:?}");
    assert_eq!(host.must("ls /usr/sbin/policy-rc.d 2>&1 | grep -c 'No such'").trim(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_along_goes_when_nobody_needs_it() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let parcels = Parcels::default();
    let driver = driver(&lab, &host, &parcels).await;
    let package =
        |name: &str, id: &str| [("host", "a".into()), ("name", Value::string(name)), ("artifact", Value::string(id))];
    let there = || {
        host.must("dpkg-query -W -f '${db:Status-Status} ${Package}\\n' 'formwork-*' | grep ^installed | sort; true")
    };
    // One that was there before us, older.
    let before = parcels.packages(&[("formwork-old", "1", "")]);
    let old =
        driver.create("onprem_package", &package("formwork-old", &before), "0").await.expect("it is installed").value;
    host.must("find /var/lib/formwork/owners -name '*formwork-old*' -delete");
    let set = parcels.packages(&[
        ("formwork-e", "1", "formwork-f, formwork-old (>= 2)"),
        ("formwork-f", "1", "formwork-g"),
        ("formwork-g", "1", ""),
        ("formwork-h", "1", ""),
        ("formwork-old", "2", ""),
    ]);
    let one = driver.create("onprem_package", &package("formwork-e", &set), "1").await.expect("it is installed").value;
    let other = parcels.packages(&[("formwork-u", "1", "formwork-g")]);
    let two =
        driver.create("onprem_package", &package("formwork-u", &other), "2").await.expect("it is installed").value;
    driver.delete("onprem_package", &one).await.expect("it goes");
    assert_eq!(there(), "installed formwork-g\ninstalled formwork-old\ninstalled formwork-u\n");
    driver.delete("onprem_package", &two).await.expect("it goes");
    assert_eq!(there(), "installed formwork-old\n", "what was there before stays");
    assert_eq!(host.must("ls -A /var/lib/formwork/packages"), "");
    assert_eq!(old.get_str("version"), Some("1"));
}
