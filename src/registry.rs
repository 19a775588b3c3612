//! The one file that names concrete providers.

use std::sync::Arc;

use formwork_contract::Diagnostic;
use formwork_contract::provider::Provider;
use formwork_contract::suggest::nearest;

use crate::graph::Wanted;
use crate::live::Registry;

/// The native providers, which are linked into this binary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Providers;

/// Native providers besides `terraform`: their name and the cargo feature that brings them.
const FEATURES: [(&str, &str); 1] = [("sandbox", "sandbox")];

/// All native providers, those that this build leaves out as well.
const NATIVES: [&str; 2] = ["terraform", "sandbox"];

impl Registry for Providers {
    fn natives(&self) -> &[&str] {
        &NATIVES
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        match wanted.source.native() {
            Some("terraform") => Ok(Arc::new(formwork_builtin::Builtin::new())),
            #[cfg(feature = "sandbox")]
            Some("sandbox") => Ok(Arc::new(formwork_sandbox::Sandbox::new())),
            Some(other) => Err(Box::new(no_native(other))),
            None => Err(Box::new(no_plugin(wanted))),
        }
    }
}

fn no_native(name: &str) -> Diagnostic {
    if let Some((_, feature)) = FEATURES.iter().find(|(known, _)| *known == name) {
        return Diagnostic::error(format!("this build of Formwork has no `{name}` provider"))
            .detail("Native providers are linked in by cargo features.")
            .hint(format!("build with `--features {feature}`, or with `--features full` for all"));
    }
    let diagnostic = Diagnostic::error(format!("there is no native provider `{name}`"));
    match nearest(name, NATIVES) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("this version has {}", NATIVES.map(|name| format!("`{name}`")).join(" and "))),
    }
}

fn no_plugin(wanted: &Wanted) -> Diagnostic {
    let source = &wanted.source;
    let diagnostic = Diagnostic::error(format!("provider `{source}` is a plugin, and this build cannot start plugins"));
    match nearest(source.type_name(), NATIVES) {
        Some(near) => diagnostic.hint(format!("did you mean the native provider `{near}`?")),
        None => diagnostic.hint("build with `--features terraform`"),
    }
}
