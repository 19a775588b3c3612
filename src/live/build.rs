//! Which build of a provider a run uses, and that it is the one that a plan was made with.

use std::collections::BTreeMap;

use formwork_contract::provider::Provider;
use formwork_contract::{Diagnostic, Str};

use crate::graph::ProviderSource;

/// Which build of a provider it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderBuild {
    /// Formwork's own for a provider that is linked in; `None` for a developer's build that has none.
    pub version: Option<Str>,
    /// Of the program, such as `sha256:5f70...`; `None` for a provider that is linked in.
    pub digest: Option<Str>,
}

impl ProviderBuild {
    pub(super) async fn of(source: &ProviderSource, provider: &dyn Provider) -> Self {
        if source.native().is_some() {
            return Self { version: Some(env!("CARGO_PKG_VERSION").into()), digest: None };
        }
        Self { version: provider.version().map(Str::from), digest: provider.digest().await }
    }

    fn named(&self) -> String {
        let version =
            self.version.as_deref().map_or_else(|| "a build without a version".into(), |v| format!("version {v}"));
        match &self.digest {
            Some(digest) => format!("{version} ({digest})"),
            None => version,
        }
    }
}

/// The builds that a plan was made with, by the source of the provider.
pub type Builds = BTreeMap<Str, ProviderBuild>;

/// Refuses another build than the one that a plan was made with. A provider that the plan did not use is free.
pub(super) fn check(source: &ProviderSource, found: &ProviderBuild, expected: &Builds) -> Result<(), Box<Diagnostic>> {
    let Some(planned) = expected.get(source.as_str()).filter(|planned| *planned != found) else { return Ok(()) };
    let (was, is) = (planned.named(), found.named());
    if source.native().is_some() {
        return Err(Box::new(
            Diagnostic::error("the plan was made with another Formwork")
                .detail(format!("Its provider `{source}` was a part of {was}, and this is {is}."))
                .hint("use the version that made the plan, or make a new plan: `formwork plan`"),
        ));
    }
    Err(Box::new(
        Diagnostic::error(format!("provider `{source}` is not the one that the plan was made with"))
            .detail(format!("The plan was made with {was}, and this machine has {is}."))
            .hint(
                "install the one that the plan names: `formwork providers list` shows where it is looked for; or make a new \
                 plan: `formwork plan`",
            ),
    ))
}
