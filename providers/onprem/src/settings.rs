//! The provider's configuration: its schema, and what is read from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::suggest::nearest;
use formwork_contract::{Attribute, Block, Diagnostic, Diagnostics, Nesting, Path, Step, Str, Type, Value};

/// The machine that Formwork runs on: needs no declaration.
pub(crate) const LOCAL: &str = "local";

/// How long a connection may take to come about where the configuration does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How many hosts are worked on at once where the configuration does not say.
const PARALLEL_HOSTS: usize = 50;

/// What a `provider "onprem"` block says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    hosts: BTreeMap<Str, Arc<Connection>>,
    /// Hosts are declared that are not known yet.
    unknown: bool,
    pub parallel_hosts: usize,
}

/// How to come to a host, and what to be there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    /// What blueprints call it.
    pub name: Str,
    /// Empty for this machine.
    pub address: Str,
    pub port: u16,
    pub user: Str,
    pub private_key: Option<Str>,
    pub private_key_file: Option<Str>,
    pub certificate: Option<Str>,
    pub certificate_file: Option<Str>,
    pub agent_socket: Option<Str>,
    pub known_hosts_file: Option<Str>,
    pub host_keys: Vec<Str>,
    /// The name of the host through which this one is reached.
    pub jump: Option<Str>,
    pub sudo: bool,
    pub sudo_password: Option<Str>,
    pub connect_timeout: Duration,
    /// The folder of the marks of ownership; empty where the host decides.
    pub ledger: Str,
    /// Something of it is not known yet.
    pub unknown: bool,
}

impl Connection {
    pub(crate) fn is_local(&self) -> bool {
        self.address.is_empty() && !self.unknown
    }
}

/// The attributes that a host may have and the provider may have for all hosts.
fn shared() -> Vec<(&'static str, Attribute)> {
    let text = |description: &str| Attribute::optional(Type::String).describe(description);
    let secret = |description: &str| Attribute::optional(Type::String).sensitive().describe(description);
    vec![
        ("user", text("Who logs in. `root` by default.")),
        ("port", Attribute::optional(Type::Number).describe("Where sshd listens. `22` by default.")),
        ("private_key", secret("A private key in OpenSSH's form or PEM, without a passphrase.")),
        ("private_key_file", text("The path of a private key.")),
        ("certificate", text("An OpenSSH certificate for the private key.")),
        ("certificate_file", text("The path of an OpenSSH certificate for the private key.")),
        ("agent_socket", text("The socket of an SSH agent: what `SSH_AUTH_SOCK` has.")),
        (
            "known_hosts_file",
            text("The path of a `known_hosts` file. A host that neither it nor `host_keys` knows is refused."),
        ),
        (
            "host_keys",
            Attribute::optional(Type::list(Type::String))
                .describe("Public keys that the host may show, such as `ssh-ed25519 AAAA...`."),
        ),
        ("jump", text("The name of a declared host through which this one is reached.")),
        ("sudo", Attribute::optional(Type::Bool).describe("Whether to become root by `sudo`. `false` by default.")),
        ("sudo_password", secret("What `sudo` asks for, where it asks.")),
        (
            "connect_timeout",
            Attribute::optional(Type::Number)
                .describe("How many seconds a connection may take to come about. 15 by default."),
        ),
        (
            "ledger",
            text(
                "The folder on the host in which it is noted what belongs to whom. `/var/lib/formwork` for root, \
                  `~/.local/state/formwork` for others.",
            ),
        ),
    ]
}

pub(crate) fn schema() -> Block {
    let address = Attribute::required(Type::String).describe("A name or an IP address.");
    let host = Block::new([("address", address)].into_iter().chain(shared()));
    let hosts = Attribute::optional(Type::Any).nesting(Nesting::Map, host).describe(
        "The hosts by the names that resources call them by; `local` is this machine and need not stand here.",
    );
    let parallel = Attribute::optional(Type::Number).describe("How many hosts are worked on at once. 50 by default.");
    Block {
        description: "One's own machines, over SSH. What is set here counts for all hosts that do not say otherwise."
            .into(),
        ..Block::new([("hosts", hosts), ("parallel_hosts", parallel)].into_iter().chain(shared()))
    }
}

impl Settings {
    /// Reads a configuration, in which values may be unknown.
    ///
    /// # Errors
    /// Numbers out of range, a jump host that is not declared, or hosts that are reached through each other.
    pub(crate) fn read(config: &Value) -> Result<Self, Diagnostics> {
        let mut reader = Reader { config, problems: Diagnostics::new() };
        let hosts = config.get("hosts").cloned().unwrap_or(Value::NULL);
        let none = formwork_contract::Entries::new(Vec::new());
        let declared: Vec<_> = hosts.entries().unwrap_or(&none).iter().collect();
        let mut settings = Self {
            unknown: hosts.is_unknown(),
            parallel_hosts: reader.whole(None, "parallel_hosts", 1, 10_000).unwrap_or(PARALLEL_HOSTS),
            ..Self::default()
        };
        for (name, host) in &declared {
            reader.name(name);
            let connection = reader.connection(name, host);
            settings.hosts.insert((*name).clone(), Arc::new(connection));
        }
        if !settings.hosts.contains_key(LOCAL) {
            let mut connection = reader.connection(&LOCAL.into(), &Value::NULL);
            connection.jump = None;
            (connection.address, connection.unknown) = ("".into(), false);
            // Whoever starts Formwork decides what it may do here.
            (connection.sudo, connection.sudo_password) = (false, None);
            settings.hosts.insert(LOCAL.into(), Arc::new(connection));
        }
        let names: Vec<Str> = settings.hosts.keys().cloned().collect();
        for name in names {
            if let Some(problem) = settings.endless_jump(&name) {
                reader.problems.push(problem);
            }
        }
        if reader.problems.has_errors() { Err(reader.problems) } else { Ok(settings) }
    }

    /// A host by its name, or that it is not declared.
    pub(crate) fn host(&self, name: &str) -> Result<Arc<Connection>, Box<Diagnostic>> {
        if let Some(host) = self.hosts.get(name) {
            return Ok(Arc::clone(host));
        }
        if self.unknown {
            return Ok(Arc::new(Connection { name: name.into(), unknown: true, ..Connection::default() }));
        }
        let problem = Diagnostic::error(format!("there is no host `{name}`"))
            .detail("The `hosts` of `provider \"onprem\"` do not name it.");
        Err(Box::new(match nearest(name, self.hosts.keys().map(|name| &**name)) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(
                "declare it in `hosts`, and keep it there until nothing of it is recorded; if the machine is gone for good, \
                 take what stood on it from the record with `formwork state rm`",
            ),
        }))
    }

    /// All hosts that can be reached by now.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.hosts.values().filter(|host| !host.unknown)
    }

    fn endless_jump(&self, name: &str) -> Option<Diagnostic> {
        let at = || [Step::Attribute("hosts".into()), Step::Key(name.into()), Step::Attribute("jump".into())];
        let mut seen = vec![name];
        let mut host = self.hosts.get(name)?;
        while let Some(jump) = &host.jump {
            let Some(next) = self.hosts.get(jump) else {
                let problem =
                    Diagnostic::error(format!("host `{}` is reached through `{jump}`, which is no host", host.name));
                return Some(problem.path(at().into_iter().collect()).hint("declare it in `hosts`"));
            };
            if seen.contains(&&**jump) {
                let problem = Diagnostic::error(format!("host `{name}` is reached through itself"));
                let chain = seen.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                return Some(problem.detail(format!("Through {chain} and `{jump}`.")).path(at().into_iter().collect()));
            }
            seen.push(&**jump);
            host = next;
        }
        None
    }
}

struct Reader<'a> {
    config: &'a Value,
    problems: Diagnostics,
}

impl Reader<'_> {
    /// A name stands in ids before a colon.
    fn name(&mut self, name: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            let problem = Diagnostic::error(format!("`{name}` is not the name of a host"));
            let path: Path = [Step::Attribute("hosts".into()), Step::Key(name.into())].into_iter().collect();
            self.problems.push(problem.path(path).hint("use letters, digits, `-`, `_` and `.`"));
        }
    }

    fn connection(&mut self, name: &Str, host: &Value) -> Connection {
        let said = |attribute: &str| {
            let own = host.get(attribute).filter(|value| !value.is_null());
            own.or_else(|| self.config.get(attribute).filter(|value| !value.is_null())).cloned()
        };
        let text = |attribute: &str| said(attribute).and_then(|value| value.as_str().map(Str::from));
        // The host through which all others are reached is not reached through itself.
        let jump = text("jump").filter(|jump| jump != name || host.get_str("jump").is_some());
        let unknown = host.is_unknown()
            || host.children().any(Value::is_unknown)
            || self.config.children().any(Value::is_unknown);
        let host_keys = said("host_keys").map_or(Vec::new(), |keys| {
            keys.elements().unwrap_or_default().iter().filter_map(Value::as_str).map(Str::from).collect()
        });
        let connection = Connection {
            name: name.clone(),
            address: host.get_str("address").unwrap_or_default().into(),
            user: text("user").unwrap_or_else(|| "root".into()),
            private_key: text("private_key"),
            private_key_file: text("private_key_file"),
            certificate: text("certificate"),
            certificate_file: text("certificate_file"),
            agent_socket: text("agent_socket"),
            known_hosts_file: text("known_hosts_file"),
            host_keys,
            jump,
            sudo: said("sudo").and_then(|value| value.as_bool()).unwrap_or(false),
            sudo_password: text("sudo_password"),
            ledger: text("ledger").unwrap_or_default(),
            unknown,
            ..Connection::default()
        };
        if connection.address.is_empty() && !unknown && &**name != LOCAL {
            let path: Path =
                [Step::Attribute("hosts".into()), Step::Key(name.clone()), Step::Attribute("address".into())]
                    .into_iter()
                    .collect();
            self.problems.push(Diagnostic::error(format!("the host `{name}` has no address")).path(path));
        }
        let port = self.whole(Some((name, host)), "port", 1, 65_535).and_then(|port| u16::try_from(port).ok());
        let seconds =
            self.whole(Some((name, host)), "connect_timeout", 1, 3_600).and_then(|whole| u64::try_from(whole).ok());
        Connection {
            port: port.unwrap_or(22),
            connect_timeout: seconds.map_or(CONNECT_TIMEOUT, Duration::from_secs),
            ..connection
        }
    }

    /// A whole number of a host, or else of the provider.
    fn whole(&mut self, host: Option<(&Str, &Value)>, attribute: &str, least: usize, most: usize) -> Option<usize> {
        let own = host.and_then(|(name, host)| Some((name, host.get(attribute).filter(|value| !value.is_null())?)));
        let (path, value) = match own {
            Some((name, value)) => (
                [Step::Attribute("hosts".into()), Step::Key(name.clone()), Step::Attribute(attribute.into())]
                    .into_iter()
                    .collect(),
                value,
            ),
            None => (Path::attribute(attribute), self.config.get(attribute)?),
        };
        let number = value.as_number()?;
        let whole = number.as_usize().filter(|whole| (least..=most).contains(whole));
        if whole.is_none() {
            let problem =
                Diagnostic::error(format!("`{attribute}` must be a whole number from {least} to {most}, not {number}"));
            self.problems.push(problem.path(path));
        }
        whole
    }
}
