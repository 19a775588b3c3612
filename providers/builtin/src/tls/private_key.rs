//! `tls_private_key`: a private key, in the forms that others read; and which keys an attribute can ask for.

use formwork_contract::{Attribute, Block, Type, Value};
use md5::{Digest, Md5};
use sha1::Sha1;

use super::inspect;
use super::key::{Algorithm, Key};
use super::public::PublicKey;
use crate::attributes::{check_range, given, int, text};
use crate::digits::hex;
use crate::draw::Draw;
use crate::fault::{Fault, fault, wrong};
use crate::life::{Kind, block, computed};

pub(super) struct PrivateKey;

impl Kind for PrivateKey {
    fn name(&self) -> &'static str {
        "tls_private_key"
    }

    fn block(&self) -> Block {
        let mut block = block(
            "A private key.",
            [
                (
                    "algorithm",
                    Attribute::required(Type::String).forces_replacement().describe("`RSA`, `ECDSA` or `ED25519`."),
                ),
                (
                    "private_key_pem",
                    Attribute::defaulted(Type::String).sensitive().forces_replacement().describe(
                        "The key in PEM: PKCS #1 for RSA, SEC 1 for ECDSA, PKCS #8 for Ed25519. Set it to bring your own.",
                    ),
                ),
                ("private_key_pem_pkcs8", computed("The key in PEM, in PKCS #8.").sensitive()),
                ("private_key_openssh", computed("The key as OpenSSH writes it.").sensitive()),
            ],
        );
        block.attributes.extend(sizes().map(|(name, attribute)| (name.into(), attribute.forces_replacement())));
        block.attributes.extend(told_of_public().map(|(name, attribute)| (name.into(), attribute)));
        block
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        default_sizes().to_vec()
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        check_algorithm(config)
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let asked = asked(wanted)?;
        let (key, written) = match text(wanted, "private_key_pem") {
            Some(pem) => (inspect::key(pem, "private_key_pem")?, pem.to_owned()),
            None => {
                let key = Key::generate(asked, draw)?;
                let pem = key.pem().to_string();
                (key, pem)
            }
        };
        if key.kind() != asked {
            return Err(wrong("private_key_pem", "`private_key_pem` holds another kind of key than is asked for")
                .hint("look at `algorithm`, `rsa_bits` and `ecdsa_curve`"));
        }
        let made = wanted
            .with("private_key_pem", written.into())
            .with("private_key_pem_pkcs8", key.pkcs8_pem().as_str().into())
            .with("private_key_openssh", key.openssh().as_str().into());
        Ok(with_public(made, &key.public()))
    }

    fn import(&self, _id: &str) -> Result<Value, Fault> {
        Err(fault("a `tls_private_key` is not imported by an id")
            .detail("The id would be the key itself, and plans and messages show ids.")
            .hint("set `private_key_pem` to a sensitive variable instead"))
    }

    fn is_ephemeral_too(&self) -> bool {
        true
    }
}

/// The attributes that say how large a key is.
pub(super) fn sizes() -> [(&'static str, Attribute); 2] {
    [
        ("rsa_bits", Attribute::defaulted(Type::Number).describe("The size of an RSA key; 2048 by default.")),
        (
            "ecdsa_curve",
            Attribute::defaulted(Type::String).describe("`P256` (the default), `P384` or `P521`, for an ECDSA key."),
        ),
    ]
}

pub(super) fn default_sizes() -> [(&'static str, Value); 2] {
    [("rsa_bits", 2048.into()), ("ecdsa_curve", "P256".into())]
}

/// What can be told of a public key.
pub(super) fn told_of_public() -> [(&'static str, Attribute); 5] {
    [
        ("id", computed("The SHA-1 of the public key, in hexadecimal.")),
        ("public_key_pem", computed("The public key in PEM.")),
        ("public_key_openssh", computed("The public key as a line of OpenSSH's `authorized_keys`.")),
        ("public_key_fingerprint_md5", computed("OpenSSH's older fingerprint of the public key.")),
        ("public_key_fingerprint_sha256", computed("OpenSSH's fingerprint of the public key.")),
    ]
}

pub(super) fn with_public(value: Value, public: &PublicKey) -> Value {
    let value = value
        .with("id", hex(&Sha1::digest(public.document().as_bytes())).into())
        .with("public_key_pem", public.pem().into());
    let Some(openssh) = public.openssh() else {
        let names = ["public_key_openssh", "public_key_fingerprint_md5", "public_key_fingerprint_sha256"];
        return names.into_iter().fold(value, |value, name| value.with(name, "".into()));
    };
    let md5 = Md5::digest(openssh.to_bytes().unwrap_or_default());
    let md5: Vec<String> = md5.iter().map(|byte| format!("{byte:02x}")).collect();
    value
        .with("public_key_openssh", format!("{}\n", openssh.to_openssh().unwrap_or_default().trim_end()).into())
        .with("public_key_fingerprint_md5", md5.join(":").into())
        .with("public_key_fingerprint_sha256", openssh.fingerprint(ssh_key::HashAlg::Sha256).to_string().into())
}

pub(super) fn check_algorithm(config: &Value) -> Vec<Fault> {
    let mut found: Vec<Fault> = check_range(config, "rsa_bits", 2048, 8192).into_iter().collect();
    if let Some(error) = text(config, "algorithm").and_then(unknown_algorithm) {
        found.push(error);
    }
    if let Some(error) = text(config, "ecdsa_curve").and_then(|name| curve(name).err()) {
        found.push(error);
    }
    found
}

/// The kind of key that the attributes `algorithm`, `rsa_bits` and `ecdsa_curve` ask for.
///
/// # Errors
/// There is none such.
pub(super) fn asked(value: &Value) -> Result<Algorithm, Fault> {
    match given(value, "algorithm") {
        "RSA" => Ok(Algorithm::Rsa(int(value, "rsa_bits").and_then(|bits| bits.try_into().ok()).unwrap_or(2048))),
        "ED25519" => Ok(Algorithm::Ed25519),
        "ECDSA" => curve(given(value, "ecdsa_curve")),
        other => Err(unknown_algorithm(other).unwrap_or_else(|| wrong("algorithm", "`algorithm` is not known"))),
    }
}

fn unknown_algorithm(name: &str) -> Option<Fault> {
    let known = ["RSA", "ECDSA", "ED25519"].contains(&name);
    (!known)
        .then(|| wrong("algorithm", format!("there is no algorithm `{name}`")).hint("use `RSA`, `ECDSA` or `ED25519`"))
}

fn curve(name: &str) -> Result<Algorithm, Fault> {
    match name {
        "P256" => Ok(Algorithm::P256),
        "P384" => Ok(Algorithm::P384),
        "P521" => Ok(Algorithm::P521),
        "P224" => Err(wrong("ecdsa_curve", "the curve `P224` is not offered")
            .detail("TLS 1.3 and OpenSSH know no such keys, and 112 bits are no longer enough.")
            .hint("use `P256`")),
        other => Err(wrong("ecdsa_curve", format!("there is no curve `{other}`")).hint("use `P256`, `P384` or `P521`")),
    }
}
