//! The one file that names concrete providers.

use std::sync::Arc;

use formwork_contract::provider::Provider;
use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Str};

use crate::live::Registry;

/// The providers that are linked into this binary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Linked;

/// All native providers: their name and the cargo feature that brings them.
const KNOWN: [(&str, &str); 2] = [("terraform", ""), ("sandbox", "sandbox")];

impl Registry for Linked {
    fn provider(&self, name: &str) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        match name {
            "terraform" => Ok(Arc::new(formwork_builtin::Builtin::new())),
            #[cfg(feature = "sandbox")]
            "sandbox" => Ok(Arc::new(formwork_sandbox::Sandbox::new())),
            other => Err(Box::new(missing(other))),
        }
    }
}

fn missing(name: &str) -> Diagnostic {
    if let Some((_, feature)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Diagnostic::error(format!("this build of Formwork has no `{name}` provider"))
            .detail("Providers are linked in by cargo features.")
            .hint(format!("build with `--features {feature}`, or with `--features full` for all"));
    }
    let names: Vec<Str> = KNOWN.iter().map(|(name, _)| Str::from(*name)).collect();
    let diagnostic = Diagnostic::error(format!("there is no provider `{name}`"));
    match nearest(name, names.iter().map(|name| &**name)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => {
            diagnostic.hint(format!("this version has {}", KNOWN.map(|(name, _)| format!("`{name}`")).join(" and ")))
        }
    }
}
