//! What `tls_ca` and `tls_certificate` have in common: a certificate that is renewed in place, before it ends.
//!
//! When it is time, the next plan shows an update of the resource and says why in `issued_because`. What depends on
//! the certificate follows in the same plan. A read never changes anything: that time has passed is no drift.
//!
//! The clock decides in a plan alone. Whether a planned change issues shows in the plan itself, where `cert_pem` is
//! not known; an apply does what that says and does not ask the clock again.

use formwork_contract::planning::differences;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Diagnostic, Type, Value};

use super::inspect;
use super::key::Key;
use super::moment::{self, HOUR, MOST_HOURS};
use super::private_key::{asked, check_algorithm, default_sizes, sizes};
use crate::attributes::{check_range, flag, given, int, is_known, is_null, is_unknown, keepers, text};
use crate::draw::Draw;
use crate::fault::{Fault, wrong};
use crate::life::{Kind, computed, differs};

/// A certificate is valid from this many seconds before it is made: clocks differ.
pub(super) const BACKDATED: u64 = 300;

const CREATED: &str = "it was created";
const GIVEN: &str = "it was given";

/// A type whose certificate is renewed in place.
pub(super) trait Rotating: Kind {
    /// Attributes that a change of asks for another certificate, besides those that [`attributes`] brings.
    fn issuing(&self) -> Vec<&'static str>;

    /// Attributes that follow from a certificate, besides those that [`attributes`] brings.
    fn following(&self) -> &'static [&'static str];

    /// Whether a certificate can be one of this type.
    fn accept(&self, _certificate: &x509_cert::Certificate) -> Result<(), Fault> {
        Ok(())
    }

    /// What is left of `prior` beside a certificate that was given in its place.
    fn succeed(&self, _prior: &Value, value: &Value, _now: u64) -> Value {
        value.clone()
    }

    /// Brings what follows from a certificate that stays up to date.
    fn follow(&self, value: &Value) -> Value;

    /// Lets go of what is over.
    fn prune(&self, value: &Value, _config: &Value, _now: u64) -> Value {
        value.clone()
    }

    /// Makes another certificate for a key; `prior` is what it takes the place of, or null.
    fn issue(&self, prior: &Value, wanted: &Value, key: &Key, draw: &mut Draw, now: u64) -> Result<Value, Fault>;
}

/// What follows from every certificate.
const TOLD: [&str; 4] = ["serial_number", "valid_from", "valid_until", "renew_at"];

/// What asks for another certificate in both types.
const ISSUING: [&str; 7] =
    ["algorithm", "ecdsa_curve", "rsa_bits", "common_name", "organization", "validity_hours", "keepers"];

/// The attributes of both types, for a certificate that is valid for so many hours by default.
pub(super) fn attributes(hours: i64) -> Vec<(&'static str, Attribute)> {
    let mut all = vec![
        ("organization", Attribute::optional(Type::String).describe("The organization in its subject.")),
        (
            "algorithm",
            Attribute::defaulted(Type::String).describe("Of its key: `ECDSA` (the default), `RSA` or `ED25519`."),
        ),
        (
            "validity_hours",
            Attribute::defaulted(Type::Number)
                .describe(&format!("For how many hours it is valid; {hours} by default.")),
        ),
        (
            "renew_before_hours",
            Attribute::optional(Type::Number)
                .describe("How many hours before its end it is renewed; a third of its life by default."),
        ),
        (
            "reuse_key",
            Attribute::defaulted(Type::Bool).describe("Whether it keeps its key when it is renewed; false by default."),
        ),
        (
            "keepers",
            Attribute { forces_replacement: false, ..keepers() }
                .describe("Any values; when they change, it is renewed."),
        ),
        (
            "private_key_pem",
            Attribute::defaulted(Type::String)
                .sensitive()
                .describe("Its private key in PEM. Set it to bring your own."),
        ),
        (
            "cert_pem",
            Attribute::defaulted(Type::String)
                .describe("The certificate in PEM. Set it, with `private_key_pem`, to bring your own."),
        ),
        ("id", computed("A unique id of this instance, which a renewal keeps.")),
        ("serial_number", computed("The certificate's serial number, in decimal.")),
        ("valid_from", computed("From when it is valid: RFC 3339, in UTC.")),
        ("valid_until", computed("Until when it is valid: RFC 3339, in UTC.")),
        ("renew_at", computed("From when on a plan renews it: RFC 3339, in UTC.")),
        ("issued_because", computed("Why the certificate was made.")),
    ];
    all.extend(sizes());
    all
}

pub(super) fn defaults(hours: i64) -> Vec<(&'static str, Value)> {
    let own = [("algorithm", "ECDSA".into()), ("validity_hours", hours.into()), ("reuse_key", false.into())];
    own.into_iter().chain(default_sizes()).collect()
}

pub(super) fn check(config: &Value) -> Vec<Fault> {
    let mut found = check_algorithm(config);
    for name in ["validity_hours", "renew_before_hours"] {
        found.extend(check_range(config, name, 1, MOST_HOURS));
    }
    if let (Some(valid), Some(before)) = (int(config, "validity_hours"), int(config, "renew_before_hours"))
        && before >= valid
    {
        let summary = format!("`renew_before_hours` is {before}, and the certificate is valid for {valid} hours");
        found.push(wrong("renew_before_hours", summary).hint("ask for fewer hours: every plan would renew it"));
    }
    if !is_null(config, "cert_pem") && is_null(config, "private_key_pem") {
        found.push(wrong("cert_pem", "`cert_pem` is given without its key").hint("set `private_key_pem` too"));
    }
    found
}

/// Plans a change of a certificate that stands.
pub(super) fn plan_change(kind: &dyn Rotating, request: &PlanRequest, now: u64) -> PlannedChange {
    let (prior, config) = (&request.prior, &request.config);
    let planned = match cause(kind, request, now) {
        Cause::None => {
            let pruned = kind.prune(&request.proposed, config, now);
            let followed = kind.follow(&with_renewal(&pruned));
            let same = differences(prior, &followed).is_empty();
            if same { prior.clone() } else { followed }
        }
        Cause::Open => to_be_issued(kind, request, Value::unknown(Type::String)),
        Cause::Given => {
            let open = told(kind).filter(|name| is_null(config, name));
            let planned = open.fold(request.proposed.clone(), |value, name| value.with(name, unknown()));
            planned.with("issued_because", GIVEN.into())
        }
        Cause::Issue(why) => to_be_issued(kind, request, why.into()),
    };
    let mut change = PlannedChange { private: request.private.clone(), ..PlannedChange::new(planned) };
    if is_known(config, "cert_pem") && is_due(prior, now) && text(config, "cert_pem") == text(prior, "cert_pem") {
        let until = given(prior, "valid_until");
        change.diagnostics.push(
            Diagnostic::warning(format!("the certificate that is given here ends at {until}"))
                .detail("What is given is not renewed.")
                .hint("give another one, or leave `cert_pem` and `private_key_pem` out"),
        );
    }
    change
}

/// Why a plan asks for another certificate.
enum Cause {
    None,
    /// That shows only when more is known.
    Open,
    /// The configuration, or a way back, brings one.
    Given,
    Issue(String),
}

fn cause(kind: &dyn Rotating, request: &PlanRequest, now: u64) -> Cause {
    let PlanRequest { prior, config, proposed, .. } = request;
    let brings = |name: &str| !is_null(config, name) && text(config, name) != text(prior, name);
    if !is_null(config, "cert_pem") {
        return match () {
            () if is_unknown(config, "cert_pem") || is_unknown(config, "private_key_pem") => Cause::Open,
            () if brings("cert_pem") || brings("private_key_pem") => Cause::Given,
            () => Cause::None,
        };
    }
    let names = || ISSUING.into_iter().chain(kind.issuing());
    if is_unknown(config, "private_key_pem") || names().any(|name| is_unknown(proposed, name)) {
        return Cause::Open;
    }
    if brings("private_key_pem") {
        return Cause::Issue("`private_key_pem` changed".into());
    }
    if let Some(name) = names().find(|name| differs(prior, proposed, name)) {
        return Cause::Issue(format!("`{name}` changed"));
    }
    let renewed = with_renewal(proposed);
    match is_due(&renewed, now) {
        true => Cause::Issue(format!("its renewal was due at {}", given(&renewed, "renew_at"))),
        false => Cause::None,
    }
}

fn is_due(value: &Value, now: u64) -> bool {
    text(value, "renew_at").and_then(moment::read).is_some_and(|at| now >= at)
}

/// What follows from the certificate is not known; nor is the key, unless it stays or is given.
fn to_be_issued(kind: &dyn Rotating, request: &PlanRequest, why: Value) -> Value {
    let silent = |name: &str| is_null(&request.config, name);
    let open = told(kind).chain(["cert_pem"]).filter(|name| silent(name));
    let planned = open.fold(request.proposed.clone(), |value, name| value.with(name, unknown()));
    let keeps_key = flag(&request.proposed, "reuse_key") && same_kind_of_key(request);
    let planned = match silent("private_key_pem") && !keeps_key {
        true => planned.with("private_key_pem", unknown()),
        false => planned,
    };
    planned.with("issued_because", why)
}

fn same_kind_of_key(request: &PlanRequest) -> bool {
    ["algorithm", "ecdsa_curve", "rsa_bits"].iter().all(|name| !differs(&request.prior, &request.proposed, name))
}

fn told(kind: &dyn Rotating) -> impl Iterator<Item = &'static str> {
    TOLD.into_iter().chain(kind.following().iter().copied())
}

fn unknown() -> Value {
    Value::unknown(Type::String)
}

/// Makes the first certificate, or takes the one that is given.
pub(super) fn make(kind: &dyn Rotating, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
    let wanted = wanted.with("id", crate::life::unique_id(draw));
    match text(&wanted, "cert_pem") {
        Some(_) => taken(kind, &wanted.with("issued_because", GIVEN.into())),
        None => issued(kind, &Value::NULL, &wanted.with("issued_because", CREATED.into()), draw, now),
    }
}

/// Carries a planned change out: issues where the plan leaves the certificate open.
pub(super) fn change(
    kind: &dyn Rotating,
    prior: &Value,
    planned: &Value,
    draw: &mut Draw,
    now: u64,
) -> Result<Value, Fault> {
    match text(planned, "cert_pem") {
        Some(own) if Some(own) == text(prior, "cert_pem") => taken(kind, planned),
        Some(_) => taken(kind, &kind.succeed(prior, planned, now)),
        None => issued(kind, prior, planned, draw, now),
    }
}

fn issued(kind: &dyn Rotating, prior: &Value, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
    let (key, written) = match text(wanted, "private_key_pem") {
        Some(pem) => (inspect::key(pem, "private_key_pem")?, pem.to_owned()),
        None => {
            let key = Key::generate(asked(wanted)?, draw)?;
            let pem = key.pkcs8_pem().to_string();
            (key, pem)
        }
    };
    let made = kind.issue(prior, wanted, &key, draw, now)?;
    taken(kind, &made.with("private_key_pem", written.into()))
}

/// With what follows from its certificate.
fn taken(kind: &dyn Rotating, value: &Value) -> Result<Value, Fault> {
    let certificate = inspect::certificate(given(value, "cert_pem"), "cert_pem")?;
    kind.accept(&certificate)?;
    let key = inspect::key(given(value, "private_key_pem"), "private_key_pem")?;
    if key.public() != inspect::public_key(&certificate) {
        return Err(wrong("cert_pem", "the certificate in `cert_pem` is not for the key in `private_key_pem`"));
    }
    let (from, until) = inspect::validity(&certificate);
    let value = value
        .with("serial_number", inspect::serial(&certificate).into())
        .with("valid_from", moment::told(from).into())
        .with("valid_until", moment::told(until).into());
    Ok(kind.follow(&with_renewal(&value)))
}

/// With `renew_at` as `renew_before_hours` says. A certificate whose life was cut short, since its authority ends
/// earlier, is renewed that much later in its life as well.
fn with_renewal(value: &Value) -> Value {
    let time = |name: &str| text(value, name).and_then(moment::read);
    let (Some(from), Some(until)) = (time("valid_from"), time("valid_until")) else { return value.clone() };
    if is_unknown(value, "renew_before_hours") || is_unknown(value, "validity_hours") {
        return value.with("renew_at", unknown());
    }
    let hours = |name: &str| int(value, name).and_then(|hours| u64::try_from(hours).ok());
    let asked = hours("validity_hours").unwrap_or(1) * HOUR;
    let before = hours("renew_before_hours").map_or(asked / 3, |hours| hours * HOUR);
    let life = until.saturating_sub(from);
    let before = if life < asked {
        u64::try_from(u128::from(before) * u128::from(life) / u128::from(asked)).unwrap_or(before)
    } else {
        before
    };
    value.with("renew_at", moment::told(until.saturating_sub(before)).into())
}

/// The names of the subject in both types.
pub(super) const SUBJECT: [&str; 2] = ["common_name", "organization"];
