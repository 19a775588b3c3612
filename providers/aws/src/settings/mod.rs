//! The provider's configuration: what is read from it.

pub(crate) mod connect;
mod credentials;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use formwork_contract::{Diagnostic, Diagnostics, Path, Value};

use crate::duration;
use crate::fields::Fields;
use crate::tags::{self, TagRules, Tags};

/// How often a call is tried again when the configuration does not say.
const RETRIES: u32 = 25;

/// What a `provider "aws"` block says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Something of it is not known yet: nothing can be asked of AWS.
    pub is_partial: bool,
    pub region: Option<String>,
    pub sts_region: Option<String>,
    pub allowed_accounts: Vec<String>,
    pub forbidden_accounts: Vec<String>,
    pub profile: Option<String>,
    pub access_key: Option<AccessKey>,
    pub config_files: Vec<PathBuf>,
    pub credentials_files: Vec<PathBuf>,
    pub without_metadata: bool,
    pub roles: Vec<Role>,
    pub web_identity: Option<WebIdentity>,
    /// By the name of the service in permissions.
    pub endpoints: BTreeMap<&'static str, String>,
    pub tags: TagRules,
    pub use_fips: bool,
    pub use_dual_stack: bool,
    pub ca_bundle: Option<PathBuf>,
    pub http_proxy: Option<String>,
    pub https_proxy: Option<String>,
    pub no_proxy: Option<String>,
    pub s3_path_style: bool,
    pub retries: u32,
    /// A refusal slows all calls of its service down.
    pub is_adaptive: bool,
}

#[derive(Clone)]
pub(crate) struct AccessKey {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl std::fmt::Debug for AccessKey {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A role and the session that it is taken on for.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub arn: String,
    pub session_name: String,
    pub external_id: Option<String>,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
    pub duration: Option<Duration>,
    pub tags: Tags,
}

#[derive(Clone)]
pub(crate) struct WebIdentity {
    pub role: Role,
    pub token: Token,
}

#[derive(Clone)]
pub(crate) enum Token {
    Text(String),
    File(PathBuf),
}

impl std::fmt::Debug for WebIdentity {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebIdentity").field("role", &self.role).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads a configuration; what is null or not known yet has its default.
    ///
    /// # Errors
    /// Settings that contradict one another, numbers out of range, times that are none.
    pub(crate) fn read(config: &Value) -> Result<Self, Diagnostics> {
        let config = config.deep_unmarked();
        let mut reader = Reader { config: Fields(&config), problems: Diagnostics::new() };
        let fields = reader.config;
        let files = |name: &str| fields.texts(name).into_iter().map(PathBuf::from).collect();
        let settings = Self {
            is_partial: !config.is_wholly_known(),
            region: fields.text("region"),
            sts_region: fields.text("sts_region"),
            allowed_accounts: fields.texts("allowed_account_ids"),
            forbidden_accounts: fields.texts("forbidden_account_ids"),
            profile: fields.text("profile"),
            access_key: reader.access_key(),
            config_files: files("shared_config_files"),
            credentials_files: files("shared_credentials_files"),
            without_metadata: fields.flag("skip_metadata_api_check").unwrap_or_default(),
            roles: fields.blocks("assume_role").filter_map(|block| reader.role(block)).collect(),
            web_identity: reader.web_identity(),
            endpoints: endpoints(fields),
            tags: rules(fields),
            use_fips: fields.flag("use_fips_endpoint").unwrap_or_default(),
            use_dual_stack: fields.flag("use_dualstack_endpoint").unwrap_or_default(),
            ca_bundle: fields.text("custom_ca_bundle").map(PathBuf::from),
            http_proxy: fields.text("http_proxy"),
            https_proxy: fields.text("https_proxy"),
            no_proxy: fields.text("no_proxy"),
            s3_path_style: fields.flag("s3_use_path_style").unwrap_or_default(),
            retries: reader.retries(),
            is_adaptive: reader.is_adaptive(),
        };
        if !settings.allowed_accounts.is_empty() && !settings.forbidden_accounts.is_empty() {
            reader.refuse(
                "forbidden_account_ids",
                "accounts cannot be both listed as allowed and as forbidden",
                "keep one list",
            );
        }
        if reader.problems.has_errors() { Err(reader.problems) } else { Ok(settings) }
    }
}

fn endpoints(config: Fields<'_>) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for block in config.blocks("endpoints") {
        for (service, names) in schema::ENDPOINTS {
            if let Some(url) = names.iter().find_map(|name| block.text(name)) {
                found.insert(service, url);
            }
        }
    }
    found
}

fn rules(config: Fields<'_>) -> TagRules {
    let ignored = |name: &str| config.block("ignore_tags").map(|block| block.texts(name)).unwrap_or_default();
    let defaults = config.block("default_tags").and_then(|block| block.0.get("tags").map(tags::entries));
    TagRules {
        defaults: defaults.unwrap_or_default(),
        ignored_keys: ignored("keys"),
        ignored_prefixes: ignored("key_prefixes"),
    }
}

struct Reader<'a> {
    config: Fields<'a>,
    problems: Diagnostics,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, summary: impl Into<String>, hint: &str) {
        self.problems.push(Diagnostic::error(summary).hint(hint).path(Path::attribute(name)));
    }

    fn access_key(&mut self) -> Option<AccessKey> {
        match (self.config.text("access_key"), self.config.text("secret_key")) {
            (Some(id), Some(secret)) => Some(AccessKey { id, secret, token: self.config.text("token") }),
            (None, None) => None,
            (given, _) => {
                let is_unknown = |name: &str| self.config.0.get(name).is_some_and(Value::is_unknown);
                if !is_unknown("access_key") && !is_unknown("secret_key") {
                    let (has, lacks) =
                        if given.is_some() { ("access_key", "secret_key") } else { ("secret_key", "access_key") };
                    self.refuse(has, format!("`{has}` is given without `{lacks}`"), "give both, or better a `profile`");
                }
                None
            }
        }
    }

    /// `None` while the role is not known yet.
    fn role(&mut self, block: Fields<'_>) -> Option<Role> {
        let duration = block.str("duration").and_then(|text| {
            let found = duration::parse(text);
            if found.is_none() {
                self.refuse("assume_role", format!("`{text}` is not a time"), "write it as `1h` or `30m`");
            }
            found
        });
        Some(Role {
            arn: block.text("role_arn")?,
            session_name: block.text("session_name").unwrap_or_else(|| "formwork".into()),
            external_id: block.text("external_id"),
            policy: block.text("policy"),
            policy_arns: block.texts("policy_arns"),
            duration,
            tags: block.0.get("tags").map(tags::entries).unwrap_or_default(),
        })
    }

    fn web_identity(&mut self) -> Option<WebIdentity> {
        let block = self.config.block("assume_role_with_web_identity")?;
        let role = self.role(block)?;
        let token = match (block.text("web_identity_token"), block.text("web_identity_token_file")) {
            (Some(text), None) => Token::Text(text),
            (None, Some(file)) => Token::File(file.into()),
            _ => {
                if block.0.is_wholly_known() {
                    self.refuse(
                        "assume_role_with_web_identity",
                        "a role is taken on by a token, or by a file that holds one",
                        "set one of `web_identity_token` and `web_identity_token_file`",
                    );
                }
                return None;
            }
        };
        Some(WebIdentity { role, token })
    }

    fn retries(&mut self) -> u32 {
        let Some(number) = self.config.0.get("max_retries").and_then(Value::as_number) else { return RETRIES };
        match number.as_i64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= 100) {
            Some(number) => number,
            None => {
                self.refuse(
                    "max_retries",
                    format!("{number} is no number of tries"),
                    "give a whole number from 0 to 100",
                );
                RETRIES
            }
        }
    }

    fn is_adaptive(&mut self) -> bool {
        match self.config.str("retry_mode") {
            Some("standard") => false,
            None | Some("adaptive") => true,
            Some(other) => {
                self.refuse(
                    "retry_mode",
                    format!("`{other}` is not a value of `retry_mode`"),
                    "use `adaptive` or `standard`",
                );
                true
            }
        }
    }
}
