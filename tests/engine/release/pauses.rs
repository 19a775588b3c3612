//! What a release waits for: people, and the right time.

use formwork::record::model::RevisionStatus;
use formwork::workflow::{ApplyRequest, Consent, Interrupt, PausedFor, Silent, apply, history};

use super::{THREE_WAVES, added, applied, three_waves};
use crate::factory::{Factory, told};

/// Monday, 2026-11-23, in milliseconds since the Unix epoch.
const MONDAY: i64 = 1_795_392_000_000;
const HOUR: i64 = 3_600_000;

const WORKDAYS: &str = r#"
release {
  window {
    days = ["mon", "tue", "wed", "thu", "fri"]
    from = "08:00"
    to   = "16:00"
  }
  freeze {
    from   = "2026-12-20"
    to     = "2027-01-03"
    reason = "holidays"
  }
"#;

#[test]
fn a_person_lets_a_wave_begin() {
    let factory = Factory::new(&three_waves("gate \"person\" {\n  approval {}\n}", ""));
    let (outcome, told) = applied(&factory);
    assert!(outcome.failed.is_empty() && !outcome.is_complete(), "failed: {:?}", outcome.failed);
    let paused = outcome.paused.as_ref().expect("it waits");
    assert_eq!((paused.wave, &*paused.name), (2, "half"));
    assert!(matches!(&paused.waits, PausedFor::Approval { what } if what.contains("a person")));
    assert_eq!((added(&outcome), outcome.not_started.len()), (3, 10));
    assert!(told.lines().iter().all(|line| !line.starts_with("wave 2")));
    let history = history(&factory.workspace).expect("a history");
    assert_eq!(history[0].status, RevisionStatus::Paused);
    assert!(history[0].waves[1].message.as_deref().is_some_and(|told| told.contains("approval of wave 2")));
}

fn refused_at(factory: &Factory, now_ms: i64) -> String {
    let mut workspace = factory.workspace.clone();
    workspace.now_ms = now_ms;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let request = ApplyRequest { consent: Consent::Automatic, crash: None };
    let done = runtime.block_on(apply(&workspace, factory.plan(), &request, &Silent, &Interrupt::default()));
    told(&done.expect_err("it is not the time"))
}

#[test]
fn a_change_begins_only_in_its_window() {
    let mut factory = Factory::new(&format!("{THREE_WAVES}{WORKDAYS}\n}}"));
    let early = refused_at(&factory, MONDAY + 7 * HOUR);
    assert!(early.contains("outside of every change window") && early.contains("2026-11-23T08:00:00Z"), "{early}");
    let weekend = refused_at(&factory, MONDAY - 12 * HOUR);
    assert!(weekend.contains("2026-11-23T08:00:00Z"), "{weekend}");
    let holidays = refused_at(&factory, MONDAY + 28 * 24 * HOUR + 9 * HOUR);
    assert!(holidays.contains("holidays") && holidays.contains("2027-01-04T08:00:00Z"), "{holidays}");
    assert_eq!(factory.standing(), 0);
    factory.workspace.now_ms = MONDAY + 9 * HOUR;
    assert!(applied(&factory).0.is_complete());
}

#[test]
fn a_wave_that_would_begin_outside_of_the_window_waits() {
    let release = format!(
        "{THREE_WAVES}{WORKDAYS}\n wave \"canary\" {{\n  targets = [sandbox_network.net]\n  gate \"soak\" {{ soak = \"300ms\" }}\n }}\n}}"
    );
    let mut factory = Factory::new(&release);
    factory.workspace.now_ms = MONDAY + 16 * HOUR - 200;
    let (outcome, _) = applied(&factory);
    let paused = outcome.paused.as_ref().expect("it waits");
    assert_eq!((paused.wave, added(&outcome)), (2, 1));
    let PausedFor::Time { next_ms, .. } = &paused.waits else { panic!("it waits for {:?}", paused.waits) };
    assert_eq!(*next_ms, Some(MONDAY + 32 * HOUR));
}

#[test]
fn going_back_needs_no_window() {
    let mut factory = Factory::new(&format!("{THREE_WAVES}{WORKDAYS}\n}}"));
    factory.workspace.now_ms = MONDAY + 9 * HOUR;
    factory.apply();
    factory.variable("size", "large");
    factory.apply();
    factory.workspace.now_ms = MONDAY + 20 * HOUR;
    assert!(factory.rollback(Some(1)).is_complete());
}
