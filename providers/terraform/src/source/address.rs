//! What a provider is called, wherever it is found: `registry.terraform.io/hashicorp/null`.

use std::fmt;
use std::str::FromStr;

use formwork_contract::Str;

/// The host of an address that names none.
pub const DEFAULT_HOST: &str = "registry.terraform.io";
/// The namespace of an address that is a type alone.
const DEFAULT_NAMESPACE: &str = "hashicorp";
/// The host of what is part of the tool itself.
const BUILTIN_HOST: &str = "terraform.io";
/// The namespace of native providers.
const OWN_NAMESPACE: &str = "formwork";

/// Host, namespace and type of a provider, in lower case.
///
/// Ordered as lock files list them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceAddress {
    host: Str,
    namespace: Str,
    type_name: Str,
}

/// Why a text is no source address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAddressError {
    #[error("it must be TYPE, NAMESPACE/TYPE or HOST/NAMESPACE/TYPE")]
    Parts,
    #[error("`{0}` is not a host name")]
    Host(String),
    #[error("`{0}` must be letters, digits, `-` and `_`, with no `-` or `_` at its ends and no two of them in a row")]
    Part(String),
    #[error("the type is named without `{0}`: write `{1}`")]
    Prefix(&'static str, String),
}

impl SourceAddress {
    /// The address of a local name that no `required_providers` gives a source: `hashicorp/NAME`.
    ///
    /// # Errors
    /// The name has other characters than addresses may have.
    pub fn implied(name: &str) -> Result<Self, ParseAddressError> {
        Ok(Self { host: DEFAULT_HOST.into(), namespace: DEFAULT_NAMESPACE.into(), type_name: part(name)? })
    }

    /// Its host, in Unicode where it has other letters than ASCII's; with the port where that is not 443.
    pub fn host(&self) -> &Str {
        &self.host
    }

    pub fn namespace(&self) -> &Str {
        &self.namespace
    }

    /// The last part, such as `null`.
    pub fn type_name(&self) -> &Str {
        &self.type_name
    }

    /// The name of the native provider that it stands for: of `formwork/NAME`, and of
    /// `terraform.io/builtin/terraform`. All others are plugins.
    pub fn native(&self) -> Option<&Str> {
        let own = &*self.host == DEFAULT_HOST && &*self.namespace == OWN_NAMESPACE;
        let builtin = &*self.host == BUILTIN_HOST && &*self.namespace == "builtin";
        (own || builtin).then_some(&self.type_name)
    }

    /// As people write it: without the default host.
    pub fn short(&self) -> String {
        match &*self.host {
            DEFAULT_HOST => format!("{}/{}", self.namespace, self.type_name),
            _ => self.to_string(),
        }
    }
}

impl FromStr for SourceAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (host, namespace, type_name) = match parts.as_slice() {
            [type_name] => (DEFAULT_HOST, DEFAULT_NAMESPACE, *type_name),
            [namespace, type_name] => (DEFAULT_HOST, *namespace, *type_name),
            [host, namespace, type_name] => (*host, *namespace, *type_name),
            _ => return Err(ParseAddressError::Parts),
        };
        let address = Self { host: self::host(host)?, namespace: part(namespace)?, type_name: part(type_name)? };
        for prefix in ["terraform-provider-", "terraform-"] {
            if let Some(rest) = address.type_name.strip_prefix(prefix) {
                return Err(ParseAddressError::Prefix(prefix, rest.to_owned()));
            }
        }
        Ok(address)
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.type_name)
    }
}

/// A namespace or a type. Both may have letters of any script; case makes no difference.
fn part(text: &str) -> Result<Str, ParseAddressError> {
    let lower = text.to_lowercase();
    let joint = |c: char| c == '-' || c == '_';
    let known = |c: char| c.is_alphanumeric() || joint(c);
    let doubled = lower.as_bytes().windows(2).any(|pair| pair.iter().all(|byte| joint(char::from(*byte))));
    if lower.is_empty() || lower.starts_with(joint) || lower.ends_with(joint) || doubled || !lower.chars().all(known) {
        return Err(ParseAddressError::Part(text.to_owned()));
    }
    Ok(lower.into())
}

/// A host name with its port, of which 443 goes without saying.
fn host(text: &str) -> Result<Str, ParseAddressError> {
    let wrong = || ParseAddressError::Host(text.to_owned());
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port.parse::<u16>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let ascii = idna::domain_to_ascii_strict(name).map_err(|_| wrong())?;
    if ascii.is_empty() {
        return Err(wrong());
    }
    let (name, _) = idna::domain_to_unicode(&ascii);
    Ok(match port {
        None | Some(443) => name.into(),
        Some(port) => format!("{name}:{port}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, ParseAddressError> {
        text.parse::<SourceAddress>().map(|address| address.to_string())
    }

    #[test]
    fn what_is_left_out_is_the_public_registry_and_its_main_namespace() {
        assert_eq!(parse("null").as_deref(), Ok("registry.terraform.io/hashicorp/null"));
        assert_eq!(parse("grafana/loki").as_deref(), Ok("registry.terraform.io/grafana/loki"));
        assert_eq!(parse("example.com/a/b").as_deref(), Ok("example.com/a/b"));
    }

    #[test]
    fn case_script_and_the_usual_port_make_no_difference() {
        assert_eq!(parse("Example.COM:443/HashiCorp/NULL").as_deref(), Ok("example.com/hashicorp/null"));
        assert_eq!(parse("localhost:8443/a/b").as_deref(), Ok("localhost:8443/a/b"));
        assert_eq!(parse("xn--bcher-kva.example/a/b"), parse("BÜCHER.example/a/b"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "a/b/c/d", "a//b", "-a", "a/b-", "a/b--c", "a/b.c", "../../etc", "host:x/a/b", "ho st/a/b"] {
            assert!(parse(text).is_err(), "`{text}` was taken");
        }
        assert_eq!(
            parse("hashicorp/terraform-provider-null"),
            Err(ParseAddressError::Prefix("terraform-provider-", "null".into()))
        );
    }

    #[test]
    fn native_ones_have_addresses_too() -> Result<(), ParseAddressError> {
        let native = |text: &str| text.parse::<SourceAddress>().map(|address| address.native().cloned());
        assert_eq!(native("formwork/sandbox")?.as_deref(), Some("sandbox"));
        assert_eq!(native("terraform.io/builtin/terraform")?.as_deref(), Some("terraform"));
        assert_eq!(native("example.com/formwork/sandbox")?, None);
        assert_eq!(native("hashicorp/null")?, None);
        Ok(())
    }
}
