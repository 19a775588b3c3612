//! What Terraform's CLI configuration says of providers: overrides, installation methods, credentials.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use formwork_contract::{Diagnostic, Str};

use super::SourceAddress;
use super::rc::{self, Item, Value};

/// The settings of one or more CLI configuration files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Folders with a developer's own build; neither versions nor checksums are looked at.
    pub dev_overrides: BTreeMap<SourceAddress, PathBuf>,
    /// From `provider_installation`, in order. `None`: the usual folders, and the registry for what is not there.
    pub methods: Option<Vec<Method>>,
    /// `plugin_cache_dir`: unpacked packages that other runs have left.
    pub plugin_cache: Option<PathBuf>,
    /// By host.
    pub credentials: BTreeMap<Str, Token>,
    /// Addresses of services by host and service id, instead of asking the host.
    pub services: BTreeMap<Str, BTreeMap<Str, Str>>,
}

/// A bearer token. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Str);

impl Token {
    pub fn new(secret: impl Into<Str>) -> Self {
        Self(secret.into())
    }

    #[cfg(feature = "registry")]
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// One way to come by packages, and for which providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub place: Place,
    /// Only these; all where it is empty.
    pub include: Vec<Pattern>,
    pub exclude: Vec<Pattern>,
}

/// Where an installation method finds packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    FilesystemMirror(PathBuf),
    /// A URL that begins with `https:` and ends with `/`.
    NetworkMirror(Str),
    /// The registry at the host of each address.
    Direct,
}

impl Method {
    pub(super) fn serves(&self, address: &SourceAddress) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(address));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

/// An address in which parts may be `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Stands in for the wildcards.
    address: SourceAddress,
    /// Host, namespace, type.
    wild: [bool; 3],
}

impl Pattern {
    fn matches(&self, address: &SourceAddress) -> bool {
        let [host, namespace, type_name] = self.wild;
        (host || address.host() == self.address.host())
            && (namespace || address.namespace() == self.address.namespace())
            && (type_name || address.type_name() == self.address.type_name())
    }
}

impl FromStr for Pattern {
    type Err = super::ParseAddressError;

    fn from_str(text: &str) -> Result<Self, super::ParseAddressError> {
        let parts: Vec<&str> = text.split('/').collect();
        let wild = match parts.as_slice() {
            [namespace, type_name] => [false, *namespace == "*", *type_name == "*"],
            [host, namespace, type_name] => [*host == "*", *namespace == "*", *type_name == "*"],
            _ => [false; 3],
        };
        let plain: Vec<&str> = parts.iter().map(|part| if *part == "*" { "any" } else { *part }).collect();
        Ok(Self { address: plain.join("/").parse()?, wild })
    }
}

impl Settings {
    /// Reads a CLI configuration file. Relative paths in it are taken from `working_dir`, `~` is `home`.
    ///
    /// # Errors
    /// It cannot be read, or says something of providers that cannot be meant.
    pub fn read(file: &Path, working_dir: &Path, home: Option<&Path>) -> Result<Self, Box<Diagnostic>> {
        let wrong = |why: String| {
            Box::new(
                Diagnostic::error(format!("the CLI configuration `{}` cannot be used: {why}", file.display()))
                    .hint("mend the file, or name another one with `TF_CLI_CONFIG_FILE`"),
            )
        };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        if file.extension().is_some_and(|extension| extension == "json") {
            return Self::from_json(&text).map_err(wrong);
        }
        let items = rc::parse(&text).map_err(|error| wrong(error.to_string()))?;
        Reader { working_dir, home }.settings(&items).map_err(wrong)
    }

    /// The tokens that `terraform login` keeps as JSON.
    fn from_json(text: &str) -> Result<Self, String> {
        let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let hosts = json["credentials"].as_object().into_iter().flatten();
        let tokens =
            hosts.filter_map(|(host, entry)| Some((host.as_str().into(), Token::new(entry["token"].as_str()?))));
        Ok(Self { credentials: tokens.collect(), ..Self::default() })
    }

    /// Adds what another file says; where both say something, this one's word stands.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.methods = self.methods.or(other.methods);
        self.plugin_cache = self.plugin_cache.or(other.plugin_cache);
        for (address, folder) in other.dev_overrides {
            self.dev_overrides.entry(address).or_insert(folder);
        }
        for (host, token) in other.credentials {
            self.credentials.entry(host).or_insert(token);
        }
        for (host, services) in other.services {
            self.services.entry(host).or_insert(services);
        }
        self
    }
}

/// Gives the items of a file their meaning.
struct Reader<'a> {
    working_dir: &'a Path,
    home: Option<&'a Path>,
}

impl Reader<'_> {
    /// Items of no concern here, such as `disable_checkpoint`, are passed over.
    fn settings(&self, items: &[Item]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        for item in items {
            match (item.keys[0].as_str(), &item.keys[1..], &item.value) {
                ("plugin_cache_dir", [], Value::Text(text)) => settings.plugin_cache = Some(self.path(text)),
                ("credentials", [host], Value::Object(items)) => {
                    if let Some(token) = text(items, "token") {
                        settings.credentials.insert(self.host(host)?, Token::new(token));
                    }
                }
                ("host", [host], Value::Object(items)) => {
                    settings.services.insert(self.host(host)?, services(items));
                }
                ("provider_installation", [], Value::Object(items)) => {
                    if settings.methods.is_some() {
                        return Err(format!("line {}: `provider_installation` stands twice", item.line));
                    }
                    self.installation(items, &mut settings)?;
                }
                ("provider_installation" | "credentials" | "host", ..) => {
                    return Err(format!("line {}: `{}` must be a block", item.line, item.keys[0]));
                }
                _ => {}
            }
        }
        Ok(settings)
    }

    fn installation(&self, items: &[Item], settings: &mut Settings) -> Result<(), String> {
        let mut methods = Vec::new();
        for item in items {
            let Value::Object(body) = &item.value else {
                return Err(format!("line {}: `{}` must be a block", item.line, item.keys[0]));
            };
            let place = match item.keys[0].as_str() {
                "dev_overrides" => {
                    self.overrides(body, settings)?;
                    continue;
                }
                "direct" => Place::Direct,
                "filesystem_mirror" => Place::FilesystemMirror(self.path(needed(item, body, "path")?)),
                "network_mirror" => Place::NetworkMirror(mirror_url(item, needed(item, body, "url")?)?),
                other => return Err(format!("line {}: `{other}` is not an installation method", item.line)),
            };
            methods.push(Method { place, include: patterns(body, "include")?, exclude: patterns(body, "exclude")? });
        }
        // Overrides alone leave the rest as it is without the block.
        settings.methods = (!methods.is_empty()).then_some(methods);
        Ok(())
    }

    fn overrides(&self, items: &[Item], settings: &mut Settings) -> Result<(), String> {
        for item in items {
            let Value::Text(folder) = &item.value else {
                return Err(format!("line {}: an override must name a folder", item.line));
            };
            let address = item.keys[0].parse().map_err(|error| format!("line {}: {error}", item.line))?;
            settings.dev_overrides.insert(address, self.path(folder));
        }
        Ok(())
    }

    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.working_dir.join(text),
        }
    }

    fn host(&self, text: &str) -> Result<Str, String> {
        let address: Result<SourceAddress, _> = format!("{text}/any/any").parse();
        address.map(|address| address.host().clone()).map_err(|error| error.to_string())
    }
}

fn services(items: &[Item]) -> BTreeMap<Str, Str> {
    let map = items.iter().find(|item| item.keys[0] == "services").map(|item| &item.value);
    let Some(Value::Object(items)) = map else { return BTreeMap::new() };
    let service = |item: &Item| match &item.value {
        Value::Text(url) => Some((item.keys[0].as_str().into(), url.as_str().into())),
        _ => None,
    };
    items.iter().filter_map(service).collect()
}

fn text<'i>(items: &'i [Item], name: &str) -> Option<&'i str> {
    items.iter().find(|item| item.keys[0] == name).and_then(|item| match &item.value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

fn needed<'i>(block: &Item, items: &'i [Item], name: &str) -> Result<&'i str, String> {
    text(items, name).ok_or_else(|| format!("line {}: `{}` needs `{name}`, a text", block.line, block.keys[0]))
}

fn mirror_url(block: &Item, url: &str) -> Result<Str, String> {
    if !url.starts_with("https://") {
        return Err(format!("line {}: the address of a network mirror must begin with `https://`", block.line));
    }
    Ok(if url.ends_with('/') { url.into() } else { format!("{url}/").into() })
}

fn patterns(items: &[Item], name: &str) -> Result<Vec<Pattern>, String> {
    let Some(item) = items.iter().find(|item| item.keys[0] == name) else { return Ok(Vec::new()) };
    let Value::List(values) = &item.value else { return Err(format!("line {}: `{name}` must be a list", item.line)) };
    let pattern = |value: &Value| match value {
        Value::Text(text) => text.parse().map_err(|error| format!("line {}: `{text}`: {error}", item.line)),
        _ => Err(format!("line {}: `{name}` must hold texts", item.line)),
    };
    values.iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let items = rc::parse(text).map_err(|error| error.to_string())?;
        Reader { working_dir: Path::new("/srv"), home: Some(Path::new("/home/ada")) }.settings(&items)
    }

    fn address(text: &str) -> SourceAddress {
        text.parse().unwrap()
    }

    #[test]
    fn installation_methods_are_read_in_order() {
        let settings = read(
            r#"
            # as the documentation of Terraform shows it
            plugin_cache_dir   = "~/.terraform.d/plugin-cache"
            disable_checkpoint = true
            provider_installation {
              dev_overrides {
                "hashicorp/null" = "/opt/null"
              }
              filesystem_mirror {
                path    = "mirror"
                include = ["example.com/*/*"]
              }
              network_mirror { url = "https://mirror.example.com/providers" }
              direct {
                exclude = ["example.com/*/*", "hashicorp/*"]
              }
            }
            credentials "example.com" { token = "geheim" }
            "#,
        )
        .unwrap();
        assert_eq!(settings.dev_overrides[&address("hashicorp/null")], Path::new("/opt/null"));
        assert_eq!(settings.plugin_cache.as_deref(), Some(Path::new("/home/ada/.terraform.d/plugin-cache")));
        let methods = settings.methods.clone().unwrap();
        assert_eq!(methods[0].place, Place::FilesystemMirror("/srv/mirror".into()));
        assert_eq!(methods[1].place, Place::NetworkMirror("https://mirror.example.com/providers/".into()));
        let serving =
            |text: &str| -> Vec<bool> { methods.iter().map(|method| method.serves(&address(text))).collect() };
        assert_eq!(serving("example.com/a/b"), [true, true, false]);
        assert_eq!(serving("hashicorp/null"), [false, true, false]);
        assert_eq!(serving("grafana/loki"), [false, true, true]);
        assert_eq!(settings.credentials["example.com"], Token::new("geheim"));
        assert!(!format!("{settings:?}").contains("geheim"));
    }

    #[test]
    fn overrides_alone_change_nothing_else() {
        let settings = read("provider_installation {\n dev_overrides { \"a/b\" = \"b\" }\n}").unwrap();
        assert_eq!((settings.methods, settings.dev_overrides.len()), (None, 1));
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_its_line() {
        let said = |text: &str| read(text).unwrap_err();
        assert!(said("provider_installation {\n carrier_pigeon {}\n}").contains("line 2"));
        assert!(said("provider_installation {\n network_mirror { url = \"http://x\" }\n}").contains("https://"));
        assert!(said("provider_installation {\n filesystem_mirror {}\n}").contains("needs `path`"));
        assert!(said("provider_installation {\n direct { include = [\"a/b/c/d\"] }\n}").contains("`a/b/c/d`"));
        assert!(said("provider_installation = 1").contains("must be a block"));
    }
}
