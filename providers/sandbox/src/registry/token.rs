//! `sandbox_registry_token`: a password for a registry that is good for a while.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use formwork_contract::{Attribute, Block, Type, Value};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::registry;
use crate::ephemeral::{EphemeralResource, Opened};
use crate::fault::{Code, Fault};
use crate::resource::Problems;
use crate::store::tokens::Token;
use crate::store::{objects, tokens};

pub(crate) const TYPE: &str = "sandbox_registry_token";

/// How long a token is good for where the configuration does not say, in seconds.
const DEFAULT_TTL: f64 = 3600.0;

/// The shortest and the longest time that one can be good for, in seconds.
const TTL: std::ops::RangeInclusive<f64> = 0.1..=86_400.0;

pub(crate) struct RegistryToken;

impl EphemeralResource for RegistryToken {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn block(&self) -> Block {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The token's id, such as `token-0a1b...`.")),
            ("registry_id", Attribute::required(Type::String).describe("The registry that it opens.")),
            ("access", Attribute::defaulted(Type::String).describe("`pull` (the default) or `push`.")),
            (
                "ttl_seconds",
                Attribute::defaulted(Type::Number)
                    .describe("How long it is good for unless it is renewed; 3600 by default, at least 0.1."),
            ),
            ("username", Attribute::computed(Type::String).describe("The user name.")),
            ("password", Attribute::computed(Type::String).sensitive().describe("The password.")),
        ]);
        Block { description: "A password for a registry that is good for a while.".into(), ..block }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "access", &["pull", "push"]);
        if config.get("ttl_seconds").and_then(Value::as_number).is_some_and(|ttl| !TTL.contains(&ttl.to_f64())) {
            problems.at("ttl_seconds", "a token is good for 0.1 to 86400 seconds", "give a number between these");
        }
    }

    fn open(&self, connection: &Connection, environment: &str, config: &Value) -> Result<Opened, Fault> {
        let target = config.get_str("registry_id").unwrap_or_default();
        if objects::by_id(connection, target)?.is_none_or(|found| found.type_name != registry::TYPE) {
            let message = format!("There is no `{}` with the id `{target}`.", registry::TYPE);
            return Err(Fault::new(Code::NotFound, message)
                .attribute("registry_id")
                .hint(format!("refer to the `id` of a `{}`", registry::TYPE)));
        }
        let seconds = config.get("ttl_seconds").and_then(Value::as_number).map_or(DEFAULT_TTL, |ttl| ttl.to_f64());
        let access = config.get_str("access").unwrap_or("pull");
        let secret = secret();
        let token = Token {
            id: format!("token-{}", &secret[..17]),
            target: target.into(),
            environment: environment.into(),
            ttl_ms: (seconds * 1000.0) as i64,
            expires_ms: now_ms() + (seconds * 1000.0) as i64,
            renewals: 0,
            is_open: true,
        };
        tokens::insert(connection, &token)?;
        let value = config
            .with("id", Value::string(&token.id))
            .with("access", access.into())
            .with("ttl_seconds", ttl_value(config))
            .with("username", format!("{access}-token").into())
            .with("password", secret[17..49].into());
        Ok(Opened { renew_at: half_of(token.ttl_ms), id: token.id, value })
    }

    fn renew(&self, connection: &Connection, id: &str) -> Result<SystemTime, Fault> {
        match tokens::by_id(connection, id)? {
            Some(token) if token.is_open && token.expires_ms > now_ms() => {
                tokens::renewed(connection, id, now_ms() + token.ttl_ms)?;
                Ok(half_of(token.ttl_ms))
            }
            _ => Err(Fault::new(Code::NotFound, format!("The token `{id}` is not good any more."))),
        }
    }

    fn close(&self, connection: &Connection, id: &str) -> Result<(), Fault> {
        tokens::closed(connection, id)
    }
}

fn ttl_value(config: &Value) -> Value {
    match config.get("ttl_seconds") {
        Some(given) if !given.is_null() => given.clone(),
        _ => Value::from(DEFAULT_TTL as i64),
    }
}

/// Half of a term from now: time enough to try again.
fn half_of(ttl_ms: i64) -> SystemTime {
    SystemTime::now() + Duration::from_millis(u64::try_from(ttl_ms / 2).unwrap_or(0))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// 64 hexadecimal digits, other ones each time. They open nothing, so that nobody has to guess them.
fn secret() -> String {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let number = GIVEN.fetch_add(1, Ordering::Relaxed);
    let digest = Sha256::digest(format!("token {} {} {number}", since.as_nanos(), std::process::id()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
