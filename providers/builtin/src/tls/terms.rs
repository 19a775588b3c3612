//! What `tls_self_signed_cert` and `tls_locally_signed_cert` have in common: for what and for how long a certificate
//! is, and when another one has to take its place.

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Path, Type, Value};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::inspect;
use super::issue::{Authority, Issuer, Wish, issue};
use super::moment::{self, HOUR, MOST_HOURS};
use super::public::PublicKey;
use super::usages;
use crate::attributes::{check_range, flag, int, is_known, text, texts};
use crate::draw::Draw;
use crate::fault::{Fault, wrong};
use crate::life::{Kind, computed, plan_in_record};

/// The attributes of both types.
pub(super) fn attributes() -> [(&'static str, Attribute); 11] {
    let forces = |attribute: Attribute, what: &str| attribute.forces_replacement().describe(what);
    let flag = |what: &str| forces(Attribute::defaulted(Type::Bool), what);
    [
        (
            "allowed_uses",
            forces(Attribute::required(Type::list(Type::String)), "What the key may be used for, as names."),
        ),
        (
            "validity_period_hours",
            forces(Attribute::required(Type::Number), "For how many hours the certificate is valid."),
        ),
        (
            "early_renewal_hours",
            Attribute::defaulted(Type::Number)
                .describe("How many hours before its end another certificate takes its place; 0 by default."),
        ),
        ("is_ca_certificate", flag("Whether it is an authority's; false by default.")),
        ("set_subject_key_id", flag("Whether it says which key it is for; an authority's always does.")),
        (
            "max_path_length",
            forces(Attribute::optional(Type::Number), "How many authorities may stand below this one."),
        ),
        ("cert_pem", forces(Attribute::defaulted(Type::String), "The certificate in PEM. Set it to bring your own.")),
        ("ready_for_renewal", Attribute::computed(Type::Bool).describe("Whether another one is to take its place.")),
        ("validity_start_time", computed("From when it is valid: RFC 3339, in UTC.")),
        ("validity_end_time", computed("Until when it is valid: RFC 3339, in UTC.")),
        ("id", computed("Its serial number, in decimal.")),
    ]
}

pub(super) fn defaults() -> Vec<(&'static str, Value)> {
    vec![("early_renewal_hours", 0.into()), ("is_ca_certificate", false.into()), ("set_subject_key_id", false.into())]
}

pub(super) fn check(config: &Value) -> Vec<Fault> {
    let ranges =
        [("validity_period_hours", 1, MOST_HOURS), ("early_renewal_hours", 0, MOST_HOURS), ("max_path_length", 0, 255)];
    let mut found: Vec<Fault> =
        ranges.into_iter().filter_map(|(name, least, most)| check_range(config, name, least, most)).collect();
    if let (Some(valid), Some(early)) = (int(config, "validity_period_hours"), int(config, "early_renewal_hours"))
        && early >= valid
    {
        let summary = format!("`early_renewal_hours` is {early}, and the certificate is valid for {valid} hours");
        found.push(wrong("early_renewal_hours", summary).hint("ask for fewer hours: every plan would replace it"));
    }
    found.extend(usages::read(&texts(config, "allowed_uses"), "allowed_uses").err());
    if is_known(config, "max_path_length")
        && config.get("is_ca_certificate").is_none_or(|part| part.as_bool() != Some(true) && !part.is_unknown())
    {
        found.push(
            wrong("max_path_length", "`max_path_length` is for authorities").hint("set `is_ca_certificate = true`"),
        );
    }
    found
}

/// As Terraform's provider has it: once it is time, the certificate is replaced, and `ready_for_renewal` says so.
pub(super) fn plan_change(kind: &dyn Kind, request: &PlanRequest, now: u64) -> PlannedChange {
    let mut change = plan_in_record(&kind.block(), request);
    let end = text(&request.prior, "validity_end_time").and_then(moment::read);
    let early = hours(&change.planned, "early_renewal_hours");
    let brought = is_known(&request.config, "cert_pem");
    if change.requires_replace.is_empty() && !brought && end.is_some_and(|end| now + early >= end) {
        change.planned = change.planned.with("ready_for_renewal", true.into());
        change.requires_replace = vec![Path::attribute("ready_for_renewal")];
    }
    change
}

/// The certificate that `wanted` asks for, or that it brings, and what it says.
pub(super) fn made(
    wanted: &Value,
    (subject, names, key_id): (Name, Vec<GeneralName>, bool),
    public: &PublicKey,
    issuer: &Issuer<'_>,
    draw: &mut Draw,
    now: u64,
) -> Result<Value, Fault> {
    let certificate = match text(wanted, "cert_pem") {
        Some(brought) => brought_for(brought, public)?,
        None => {
            let authority = flag(wanted, "is_ca_certificate").then(|| Authority {
                path_length: int(wanted, "max_path_length").and_then(|length| length.try_into().ok()),
                constraints: None,
            });
            let wish = Wish {
                subject,
                names,
                usages: usages::read(&texts(wanted, "allowed_uses"), "allowed_uses")?,
                authority,
                from: now,
                until: now + hours(wanted, "validity_period_hours"),
                key_id,
            };
            issue(&wish, public, issuer, draw)?
        }
    };
    let (from, until) = inspect::validity(&certificate);
    let pem = match text(wanted, "cert_pem") {
        Some(brought) => brought.to_owned(),
        None => inspect::pem(&certificate),
    };
    Ok(wanted
        .with("cert_pem", pem.into())
        .with("ready_for_renewal", false.into())
        .with("validity_start_time", moment::told(from).into())
        .with("validity_end_time", moment::told(until).into())
        .with("id", inspect::serial(&certificate).into()))
}

/// Seconds.
pub(super) fn hours(value: &Value, name: &str) -> u64 {
    u64::try_from(int(value, name).unwrap_or_default()).unwrap_or_default() * HOUR
}

fn brought_for(pem: &str, public: &PublicKey) -> Result<Certificate, Fault> {
    let certificate = inspect::certificate(pem, "cert_pem")?;
    match inspect::public_key(&certificate) == *public {
        true => Ok(certificate),
        false => Err(wrong("cert_pem", "the certificate in `cert_pem` is for another key")),
    }
}
