//! `tls_ca`: an authority, its key and certificate in one, that is renewed in place with an overlap.
//!
//! A new authority is trusted nowhere yet, and the old one has signed what is in use. So `trust_bundle_pem` holds
//! both until the old one ends, and the old key signs the new one (`cross_signed_pem`): who trusts the old authority
//! alone believes certificates of the new one as well, where these are shown with that.

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Type, Value};
use x509_cert::ext::pkix::name::GeneralNames;

use super::issue::{Authority, Issuer, Wish, issue};
use super::key::Key;
use super::moment::HOUR;
use super::rotation::{self, BACKDATED, Rotating, SUBJECT};
use super::{inspect, names, spiffe, subject, usages};
use crate::attributes::{check_range, given, int, is_null, text};
use crate::draw::Draw;
use crate::fault::{Fault, wrong};
use crate::life::{Kind, block, computed};

/// Ten years.
const HOURS: i64 = 87_600;

const OTHERS: [&str; 2] = ["previous_cert_pem", "cross_signed_pem"];

pub(super) struct Ca;

impl Kind for Ca {
    fn name(&self) -> &'static str {
        "tls_ca"
    }

    fn block(&self) -> Block {
        let text = |what: &str| Attribute::optional(Type::String).describe(what);
        let kept = |what: &str| Attribute::defaulted(Type::String).describe(what);
        let mut block = block(
            "An authority that issues certificates: its key and its certificate, which is renewed in place.",
            [
                ("common_name", Attribute::required(Type::String).describe("Its name.")),
                (
                    "max_path_length",
                    Attribute::optional(Type::Number).describe(
                        "How many authorities may stand below it; any number by default. With 0 there is no \
                         `cross_signed_pem`.",
                    ),
                ),
                ("spiffe_trust_domain", text("The SPIFFE trust domain that it is the authority of.")),
                (
                    "previous_cert_pem",
                    kept(
                        "The certificates that it had before and that have not ended, in PEM; empty where there is none.",
                    ),
                ),
                (
                    "cross_signed_pem",
                    kept(
                        "Its certificate as the key before signed it, in PEM, while that is trusted; else empty. Give it \
                          to `tls_certificate` as `ca_chain_pem`.",
                    ),
                ),
                ("trust_bundle_pem", computed("What to trust, in PEM: `cert_pem` and `previous_cert_pem`.")),
            ],
        );
        block.attributes.extend(rotation::attributes(HOURS).into_iter().map(|(name, part)| (name.into(), part)));
        block.attributes.extend(names::CONSTRAINTS.map(|(name, what)| (name.into(), names::attribute(what))));
        block
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        rotation::defaults(HOURS)
    }

    fn is_dated(&self) -> bool {
        true
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found = rotation::check(config);
        found.extend(check_range(config, "max_path_length", 0, 255));
        found.extend(names::constraints(config).err());
        if let Some(Err(why)) = text(config, "spiffe_trust_domain").map(spiffe::check_trust_domain) {
            found.push(
                wrong("spiffe_trust_domain", "`spiffe_trust_domain` is no SPIFFE trust domain")
                    .detail(format!("{why}.")),
            );
        }
        if text(config, "common_name").is_some_and(str::is_empty) {
            found.push(wrong("common_name", "`common_name` is empty"));
        }
        found
    }

    fn plan_change(&self, request: &PlanRequest, now: u64) -> Result<PlannedChange, Fault> {
        Ok(rotation::plan_change(self, request, now))
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        let wanted = OTHERS.into_iter().fold(wanted.clone(), |value, name| filled(value, name, ""));
        rotation::make(self, &wanted, draw, now)
    }

    fn change(&self, prior: &Value, planned: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        rotation::change(self, prior, planned, draw, now)
    }
}

impl Rotating for Ca {
    fn issuing(&self) -> Vec<&'static str> {
        ["max_path_length", "spiffe_trust_domain"].into_iter().chain(names::CONSTRAINTS.map(|(name, _)| name)).collect()
    }

    fn following(&self) -> &'static [&'static str] {
        &["previous_cert_pem", "cross_signed_pem", "trust_bundle_pem"]
    }

    fn accept(&self, certificate: &x509_cert::Certificate) -> Result<(), Fault> {
        match inspect::authority(certificate).0 {
            true => Ok(()),
            false => Err(wrong("cert_pem", "the certificate in `cert_pem` is not an authority's")),
        }
    }

    /// Both are trusted. The old key does not sign what somebody else made.
    fn succeed(&self, prior: &Value, value: &Value, now: u64) -> Value {
        let previous = ["cert_pem", OTHERS[0]].map(|name| lasting(given(prior, name), now)).concat();
        filled(filled(value.clone(), OTHERS[0], &previous), OTHERS[1], "")
    }

    fn follow(&self, value: &Value) -> Value {
        let parts = (text(value, "cert_pem"), text(value, "previous_cert_pem"));
        match parts {
            (Some(own), Some(previous)) => value.with("trust_bundle_pem", inspect::joined(own, previous).into()),
            _ => value.with("trust_bundle_pem", Value::unknown(Type::String)),
        }
    }

    fn prune(&self, value: &Value, config: &Value, now: u64) -> Value {
        OTHERS.into_iter().filter(|name| is_null(config, name)).fold(value.clone(), |value, name| {
            let lasting = lasting(given(&value, name), now);
            value.with(name, lasting.into())
        })
    }

    fn issue(&self, prior: &Value, wanted: &Value, key: &Key, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        let path_length = int(wanted, "max_path_length").and_then(|length| u8::try_from(length).ok());
        let hours = u64::try_from(int(wanted, "validity_hours").unwrap_or(HOURS)).unwrap_or_default();
        let mut wish = Wish {
            subject: subject::of_attributes(wanted, &SUBJECT)?,
            names: trust_domain(wanted),
            usages: usages::read(&["cert_signing", "crl_signing"], "usages")?,
            authority: Some(Authority { path_length, constraints: names::constraints(wanted)? }),
            from: now.saturating_sub(BACKDATED),
            until: now + hours * HOUR,
            key_id: true,
        };
        let public = key.public();
        let made = issue(&wish, &public, &Issuer::Itself { key, key_id: false }, draw)?;
        let made = wanted.with("cert_pem", inspect::pem(&made).into());
        if prior.is_null() {
            return Ok(made);
        }
        let (old, old_key) = inspect::issuer(
            (given(prior, "cert_pem"), "cert_pem"),
            (given(prior, "private_key_pem"), "private_key_pem"),
        )?;
        let mut previous = lasting(given(prior, "previous_cert_pem"), now);
        let mut cross = String::new();
        let (_, ends) = inspect::validity(&old);
        if ends > now {
            previous.insert_str(0, &inspect::pem(&old));
            if old_key.public() != public && inspect::authority(&old).1 != Some(0) {
                wish.until = wish.until.min(ends);
                let by_old = Issuer::Authority { key: &old_key, certificate: &old };
                cross = inspect::pem(&issue(&wish, &public, &by_old, draw)?);
                cross.push_str(&lasting(given(prior, "cross_signed_pem"), now));
            }
        }
        Ok(filled(filled(made, OTHERS[0], &previous), OTHERS[1], &cross))
    }
}

/// A signing certificate carries the trust domain as its SPIFFE ID (X509-SVID, section 3.1).
fn trust_domain(wanted: &Value) -> GeneralNames {
    let id = text(wanted, "spiffe_trust_domain").map(|domain| format!("spiffe://{domain}"));
    id.and_then(|id| names::uri(&id)).into_iter().collect()
}

/// With an attribute set, unless it is given.
fn filled(value: Value, name: &str, made: &str) -> Value {
    if text(&value, name).is_some() { value } else { value.with(name, made.into()) }
}

/// Those certificates that have not ended.
fn lasting(pem: &str, now: u64) -> String {
    let all = inspect::certificates(pem, "previous_cert_pem").unwrap_or_default();
    all.iter().filter(|certificate| inspect::validity(certificate).1 > now).map(inspect::pem).collect()
}
