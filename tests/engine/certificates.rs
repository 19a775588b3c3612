//! An authority and its certificates through their lives: rotation is planned at the right moment, what depends on
//! it follows in the same plan, and a way back brings the earlier certificates back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork::workflow::{CrashHow, CrashPoint, CrashWhen, PluginSettings, StepDone, providers};
use formwork_builtin::{Clock, tls};
use formwork_contract::provider::Provider;
use formwork_contract::{Diagnostic, Value};

use crate::factory::{Factory, actions};

const START: u64 = 1_767_225_600;
const HOUR: u64 = 3600;

/// All native providers, with another clock for `tls`.
struct Timed {
    natives: Arc<dyn Registry>,
    time: Arc<AtomicU64>,
}

impl Registry for Timed {
    fn natives(&self) -> &[&str] {
        self.natives.natives()
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        if wanted.source.native() != Some("tls") {
            return self.natives.provider(wanted);
        }
        let time = Arc::clone(&self.time);
        let clock = Clock::new(move || UNIX_EPOCH + Duration::from_secs(time.load(Ordering::Relaxed)));
        Ok(Arc::new(tls::provider_at(clock)))
    }
}

/// A factory, and the time in it: hours after its start.
struct Timeline {
    factory: Factory,
    time: Arc<AtomicU64>,
}

impl Timeline {
    fn new(blueprint: &str) -> Self {
        let mut factory = Factory::new(blueprint);
        let time = Arc::new(AtomicU64::new(START));
        let natives = providers(PluginSettings::default());
        factory.workspace.registry = Arc::new(Timed { natives, time: Arc::clone(&time) });
        Self { factory, time }
    }

    fn at(&self, hours: u64) -> &Factory {
        self.time.store(START + hours * HOUR, Ordering::Relaxed);
        &self.factory
    }

    /// The recorded objects whose address starts like this.
    fn recorded(&self, prefix: &str) -> BTreeMap<String, Value> {
        let planned = self.factory.plan();
        let changes = planned.plan.changes.iter().filter(|change| !change.before.is_null());
        let all = changes.map(|change| (change.address.to_string(), change.before.deep_unmarked()));
        all.filter(|(address, _)| address.starts_with(prefix)).collect()
    }

    fn parts(&self, prefix: &str, name: &str) -> Vec<String> {
        let all = self.recorded(prefix);
        all.values().map(|value| value.get_str(name).expect("a text").to_owned()).collect()
    }
}

const MESH: &str = r#"
resource "tls_ca" "mesh" {
  common_name         = "mesh"
  spiffe_trust_domain = "factory.example"
  validity_hours      = 240
  renew_before_hours  = 80
}

resource "tls_certificate" "workload" {
  for_each           = toset(["registry", "web"])
  ca_cert_pem        = tls_ca.mesh.cert_pem
  ca_private_key_pem = tls_ca.mesh.private_key_pem
  ca_chain_pem       = tls_ca.mesh.cross_signed_pem
  dns_names          = ["${each.key}.factory.example"]
  spiffe_id          = "spiffe://factory.example/${each.key}"
  validity_hours     = 48
  renew_before_hours = 12
}

# What a unit on a host would be: it starts again when its certificate is another one.
resource "terraform_data" "unit" {
  for_each         = tls_certificate.workload
  triggers_replace = each.value.serial_number
}

resource "terraform_data" "trust" { input = tls_ca.mesh.trust_bundle_pem }
"#;

#[test]
fn certificates_are_renewed_with_what_depends_on_them_and_come_back() {
    let timeline = Timeline::new(MESH);
    assert_eq!(timeline.at(0).apply().count(StepDone::Added), 6);
    let first = timeline.parts("tls_certificate", "cert_pem");
    let keys = timeline.parts("tls_certificate", "private_key_pem");
    timeline.at(35).assert_settled();

    let factory = timeline.at(36);
    let planned = factory.plan();
    assert!(planned.plan.drift.is_empty(), "that time has passed is no drift");
    assert_eq!(
        actions(&planned.plan),
        [
            "delete/create terraform_data.unit[\"registry\"]",
            "delete/create terraform_data.unit[\"web\"]",
            "update tls_certificate.workload[\"registry\"]",
            "update tls_certificate.workload[\"web\"]",
        ]
    );
    let why = |change: &formwork::plan::model::Change| change.after.get_str("issued_because").map(str::to_owned);
    let renewed =
        planned.plan.changes.iter().filter(|change| change.address.to_string().starts_with("tls_certificate"));
    for change in renewed {
        assert_eq!(why(change).as_deref(), Some("its renewal was due at 2026-01-02T12:00:00Z"));
    }
    // What was approved is applied, also when it takes until later.
    let kept = factory.through_file(planned);
    let outcome = timeline.at(40).apply_planned(kept);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    timeline.factory.assert_settled();
    let second = timeline.parts("tls_certificate", "cert_pem");
    assert!(first.iter().zip(&second).all(|(first, second)| first != second));

    timeline.at(41).rollback(None);
    assert_eq!(
        (timeline.parts("tls_certificate", "cert_pem"), timeline.parts("tls_certificate", "private_key_pem")),
        (first, keys),
        "the way back brings the certificates and their keys"
    );
    // They are still due, and the blueprint does not hold on to them.
    assert_eq!(actions(&timeline.at(41).plan().plan).len(), 4);
    timeline.at(41).apply();
}

#[test]
fn an_authority_is_renewed_with_everything_that_it_issued_in_one_plan() {
    let timeline = Timeline::new(MESH);
    timeline.at(0).apply();
    let [old] = timeline.parts("tls_ca", "cert_pem").try_into().expect("one authority");
    let factory = timeline.at(160);
    assert_eq!(
        actions(&factory.plan().plan),
        [
            "delete/create terraform_data.unit[\"registry\"]",
            "delete/create terraform_data.unit[\"web\"]",
            "update terraform_data.trust",
            "update tls_ca.mesh",
            "update tls_certificate.workload[\"registry\"]",
            "update tls_certificate.workload[\"web\"]",
        ]
    );
    factory.apply();
    let bundle = timeline.parts("tls_ca", "trust_bundle_pem").remove(0);
    assert!(bundle.ends_with(&old) && bundle.len() > old.len(), "both are trusted");
    let chains = timeline.parts("tls_certificate", "chain_pem");
    assert!(chains.iter().all(|chain| chain.matches("BEGIN CERTIFICATE").count() == 2), "with the cross-signed one");

    // Back to the old authority and what it issued, and forth again: they are due still.
    let renewed = timeline.recorded("tls_");
    factory.rollback(None);
    assert_eq!(timeline.parts("tls_ca", "trust_bundle_pem"), std::slice::from_ref(&old));
    assert!(timeline.parts("tls_certificate", "ca_cert_pem").iter().all(|ca| *ca == old));
    assert_eq!(actions(&factory.plan().plan).len(), 6);
    factory.rollback(Some(2));
    for (address, value) in timeline.recorded("tls_") {
        for name in ["cert_pem", "private_key_pem"] {
            assert_eq!(value.get(name), renewed[&address].get(name), "{address}: {name}");
        }
    }
    factory.assert_settled();

    // The old one ends: the plan says so, and the certificates stay as they are but for their chains.
    let factory = timeline.at(160 + 36 - 1);
    factory.assert_settled();
    let before = timeline.parts("tls_certificate", "cert_pem");
    let factory = timeline.at(241);
    factory.apply();
    let bundle = timeline.parts("tls_ca", "trust_bundle_pem").remove(0);
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 1);
    assert_ne!(before, timeline.parts("tls_certificate", "cert_pem"), "these were due meanwhile");
}

/// A run that ends at any record of its journal leaves nothing that the next one cannot go on from, and what it made
/// and recorded stays.
#[test]
fn an_interrupted_run_is_gone_on_with() {
    for record in 1.. {
        let timeline = Timeline::new(MESH);
        let factory = timeline.at(0);
        let crash = CrashPoint { record, when: CrashWhen::After, how: CrashHow::Abandon };
        if factory.apply_drilled(factory.plan(), crash).is_complete() {
            assert!(record > 6, "every step was cut at");
            break;
        }
        let made: BTreeMap<String, Value> = timeline.recorded("tls_");
        timeline.factory.apply();
        let stands = timeline.recorded("tls_");
        assert_eq!(stands.len(), 3);
        for (address, value) in made {
            assert_eq!(stands.get(&address), Some(&value), "record {record}: `{address}` was made twice");
        }
    }
}

#[test]
fn no_key_and_no_password_is_stored_in_clear() {
    let timeline = Timeline::new(
        &[
            MESH,
            r#"
            resource "random_password" "admin" { length = 32 }
            resource "terraform_data" "user" { input = random_password.admin.result }
            "#,
        ]
        .concat(),
    );
    let factory = timeline.at(0);
    let planned = factory.through_file(factory.plan());
    factory.apply_planned(planned);
    let password = timeline.parts("random_password", "result").remove(0);
    let keys = timeline.parts("tls_", "private_key_pem");
    let lines = keys.iter().map(|key| key.lines().nth(1).expect("a line of the key").as_bytes().to_vec());
    let secrets: Vec<Vec<u8>> = lines.chain([password.into_bytes()]).collect();
    assert_eq!(secrets.len(), 4);
    let mut looked_at = 0;
    let mut folders = vec![factory.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).expect("a file");
            looked_at += 1;
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|part| part == secret);
                assert!(!found, "a secret stands in {}", entry.path().display());
            }
        }
    }
    assert!(looked_at > 2, "the record and the plan file were looked at");
}

#[test]
fn a_password_that_was_replaced_or_deleted_comes_back() {
    let mut factory = Factory::new(
        r#"
        variable "turn" { default = "1" }
        resource "random_password" "admin" {
          length  = 20
          keepers = { turn = var.turn }
        }
        "#,
    );
    let password = |factory: &Factory| {
        let planned = factory.plan();
        let stands = planned.plan.changes.iter().find(|change| !change.before.is_null());
        stands.and_then(|change| change.before.get_str("result")).map(str::to_owned)
    };
    factory.apply();
    let first = password(&factory);
    factory.variable("turn", "2");
    assert_eq!(actions(&factory.plan().plan), ["delete/create random_password.admin"]);
    factory.apply();
    assert_ne!(password(&factory), first);
    factory.rollback(Some(1));
    assert_eq!(password(&factory), first);
    factory.destroy();
    factory.rollback(Some(1));
    assert_eq!(password(&factory), first, "from the before-image of what was deleted");
}
