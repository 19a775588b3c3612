//! `tls_certificate`: a key and the certificate that an authority of the blueprint issues for it, renewed in place.

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Type, Value};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::issue::{Issuer, Wish, issue};
use super::key::Key;
use super::moment::{self, HOUR};
use super::rotation::{self, BACKDATED, Rotating, SUBJECT};
use super::{inspect, names, spiffe, subject, usages};
use crate::attributes::{given, int, is_known, is_null, text, texts};
use crate::draw::Draw;
use crate::fault::{Fault, wrong};
use crate::life::{Kind, block, computed};

/// Ninety days.
const HOURS: i64 = 2160;

const CA: (&str, &str) = ("ca_cert_pem", "ca_private_key_pem");

/// What a server and a client of mutual TLS need.
const USAGES: [&str; 3] = ["digital_signature", "server_auth", "client_auth"];

pub(super) struct Certificate;

impl Kind for Certificate {
    fn name(&self) -> &'static str {
        "tls_certificate"
    }

    fn block(&self) -> Block {
        let text = |what: &str| Attribute::optional(Type::String).describe(what);
        let mut block = block(
            "A key and the certificate that an authority issues for it, which is renewed in place.",
            [
                ("ca_cert_pem", Attribute::required(Type::String).describe("The authority's certificate in PEM.")),
                (
                    "ca_private_key_pem",
                    Attribute::required(Type::String).sensitive().describe("The authority's private key in PEM."),
                ),
                (
                    "ca_chain_pem",
                    text(
                        "Certificates between the authority and those that are trusted, in PEM; they go into `chain_pem`.",
                    ),
                ),
                ("common_name", text("The name in its subject. Clients look at the other names alone.")),
                (
                    "spiffe_id",
                    text(
                        "The SPIFFE ID of the workload, such as `spiffe://factory.example/registry`. It takes the place of `uris`.",
                    ),
                ),
                (
                    "usages",
                    Attribute::defaulted(Type::list(Type::String)).describe(
                        "What the key may be used for, as names of `allowed_uses` of `tls_self_signed_cert`; \
                         `digital_signature`, `server_auth` and `client_auth` by default.",
                    ),
                ),
                ("chain_pem", computed("What a server shows, in PEM: `cert_pem` and `ca_chain_pem`.")),
            ],
        );
        block.attributes.extend(rotation::attributes(HOURS).into_iter().map(|(name, part)| (name.into(), part)));
        block.attributes.extend(names::NAMES.map(|(name, what)| (name.into(), names::attribute(what))));
        block
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        let usages = Value::list(Type::String, USAGES.map(Value::from).to_vec());
        rotation::defaults(HOURS).into_iter().chain([("usages", usages)]).collect()
    }

    fn is_dated(&self) -> bool {
        true
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found = rotation::check(config);
        found.extend(names::check(config));
        let usages = texts(config, "usages");
        found.extend(usages::read(&usages, "usages").err());
        if let Some(signing) = usages.iter().find(|usage| ["cert_signing", "crl_signing"].contains(usage)) {
            let error = wrong("usages", format!("`{signing}` is for authorities"));
            found.push(error.hint("use `tls_ca`, or `tls_locally_signed_cert` with `is_ca_certificate = true`"));
        }
        found.extend(check_spiffe(config));
        if is_known(config, CA.0) && is_known(config, CA.1) {
            found.extend(issuer(config).err());
        }
        if is_known(config, "ca_chain_pem") && !given(config, "ca_chain_pem").is_empty() {
            found.extend(inspect::certificates(given(config, "ca_chain_pem"), "ca_chain_pem").err());
        }
        let named = ["common_name", "organization", "spiffe_id", "dns_names", "ip_addresses", "uris"];
        if named.iter().all(|name| is_null(config, name)) {
            found.push(
                wrong("common_name", "the certificate is for nobody")
                    .hint("set `dns_names`, `ip_addresses` or `spiffe_id`"),
            );
        }
        found
    }

    fn plan_change(&self, request: &PlanRequest, now: u64) -> Result<PlannedChange, Fault> {
        Ok(rotation::plan_change(self, request, now))
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        rotation::make(self, wanted, draw, now)
    }

    fn change(&self, prior: &Value, planned: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        rotation::change(self, prior, planned, draw, now)
    }
}

impl Rotating for Certificate {
    fn issuing(&self) -> Vec<&'static str> {
        ["ca_cert_pem", "spiffe_id", "usages"].into_iter().chain(names::NAMES.map(|(name, _)| name)).collect()
    }

    fn following(&self) -> &'static [&'static str] {
        &["chain_pem"]
    }

    fn follow(&self, value: &Value) -> Value {
        let open = value.get("ca_chain_pem").is_some_and(Value::is_unknown);
        match text(value, "cert_pem") {
            Some(own) if !open => {
                let chain = text(value, "ca_chain_pem").unwrap_or_default();
                value.with("chain_pem", inspect::joined(own, chain).into())
            }
            _ => value.with("chain_pem", Value::unknown(Type::String)),
        }
    }

    fn issue(&self, _prior: &Value, wanted: &Value, key: &Key, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        let (authority, authority_key) = issuer(wanted)?;
        let (_, ends) = inspect::validity(&authority);
        if ends <= now {
            return Err(wrong(CA.0, format!("the authority in `{}` ended at {}", CA.0, moment::told(ends)))
                .hint("renew the authority first"));
        }
        let mut names = names::all(wanted)?;
        names.extend(text(wanted, "spiffe_id").and_then(names::uri));
        let hours = u64::try_from(int(wanted, "validity_hours").unwrap_or(HOURS)).unwrap_or_default();
        let wish = Wish {
            subject: subject::of_attributes(wanted, &SUBJECT)?,
            names,
            usages: usages::read(&texts(wanted, "usages"), "usages")?,
            authority: None,
            from: now.saturating_sub(BACKDATED),
            // Nobody believes a certificate whose authority has ended.
            until: (now + hours * HOUR).min(ends),
            key_id: true,
        };
        let by = Issuer::Authority { key: &authority_key, certificate: &authority };
        let made = issue(&wish, &key.public(), &by, draw)?;
        Ok(wanted.with("cert_pem", inspect::pem(&made).into()))
    }
}

fn issuer(value: &Value) -> Result<(x509_cert::Certificate, Key), Fault> {
    let issuer = inspect::issuer((given(value, CA.0), CA.0), (given(value, CA.1), CA.1))?;
    let id = text(value, "spiffe_id").and_then(|id| spiffe::trust_domain_of(id).ok());
    match (id, trust_domain(&issuer.0)) {
        (Some(own), Some(authoritys)) if own != authoritys => {
            Err(wrong("spiffe_id", format!("the authority is that of the trust domain `{authoritys}`"))
                .detail(format!("The SPIFFE ID is of `{own}`; nobody would accept it from this authority.")))
        }
        _ => Ok(issuer),
    }
}

/// The SPIFFE trust domain of an authority that says one.
fn trust_domain(authority: &x509_cert::Certificate) -> Option<String> {
    let (_, names) = authority.tbs_certificate().get_extension::<SubjectAltName>().ok()??;
    names.0.iter().find_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => uri.as_str().strip_prefix("spiffe://").map(str::to_owned),
        _ => None,
    })
}

/// An X.509 SVID has one URI, its SPIFFE ID, and signs (X509-SVID, sections 2 and 4).
fn check_spiffe(config: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    if is_null(config, "spiffe_id") {
        return found;
    }
    if !is_null(config, "uris") {
        found.push(wrong("uris", "a certificate with a SPIFFE ID has no other URI").hint("leave `uris` out"));
    }
    if let Some(Err(why)) = text(config, "spiffe_id").map(spiffe::trust_domain_of) {
        let id = given(config, "spiffe_id");
        found.push(
            wrong("spiffe_id", format!("`{id}` is no SPIFFE ID of a workload"))
                .detail(format!("{}{}.", why[..1].to_uppercase(), &why[1..]))
                .hint("write it as `spiffe://factory.example/registry`"),
        );
    }
    if is_known(config, "usages") && !texts(config, "usages").contains(&"digital_signature") {
        found.push(wrong("usages", "a certificate with a SPIFFE ID has the usage `digital_signature`"));
    }
    found
}
