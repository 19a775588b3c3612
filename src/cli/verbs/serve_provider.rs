//! `serve-provider`: a provider of ours as a plugin of Terraform or OpenTofu.

use std::ffi::OsString;
use std::path::Path;

#[cfg(feature = "terraform")]
pub(crate) use present::serve_provider;

#[cfg(not(feature = "terraform"))]
pub(crate) use absent::serve_provider;

/// What the program is called where it is one provider.
const NAMES: [&str; 2] = ["terraform-provider-", "formwork-provider-"];

/// The arguments of the process; a program that is called as a provider serves that one.
pub(crate) fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut given: Vec<OsString> = given.collect();
    if let Some(name) = given.first().and_then(|program| provider_of(Path::new(program))) {
        given.splice(1..1, ["serve-provider".into(), name.into()]);
    }
    given
}

/// The provider that a program is by its name: `terraform-provider-NAME`, perhaps with a version after it.
fn provider_of(program: &Path) -> Option<String> {
    let file = program.file_name()?.to_str()?;
    let rest = NAMES.iter().find_map(|prefix| file.strip_prefix(prefix))?;
    let name = rest.split_once('_').map_or(rest, |(name, _)| name);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(feature = "terraform")]
mod present {
    use formwork_contract::Diagnostic;
    use formwork_terraform::serve::{Invitation, ServeError, Server};

    use crate::cli::args::{ServeProvider, Variables};
    use crate::cli::session::{DONE, Outcome, Session, Stop};
    use crate::graph::{ProviderSource, Wanted};
    use crate::workflow;

    pub(crate) async fn serve_provider(session: &Session, arguments: &ServeProvider) -> Outcome {
        let workspace = session.workspace(&Variables::default())?;
        let name = arguments.name.as_str();
        let native = Wanted::any(ProviderSource::of_name(name, &[name]));
        let provider = workspace.registry.provider(&native).map_err(|problem| Stop::from(*problem))?;
        let invitation = Invitation::read(|name| session.environment.get(name)).map_err(refused)?;
        let server = Server::bind(invitation).map_err(refused)?;
        session.print(&format!("{}\n", server.handshake()))?;
        server.serve(provider, workflow::served_context(&workspace, session.state_dir())).await.map_err(refused)?;
        Ok(DONE)
    }

    fn refused(error: ServeError) -> Stop {
        let mut problem = Diagnostic::error(error.to_string());
        problem.hint = error.hint().map(str::to_owned);
        problem.into()
    }
}

#[cfg(not(feature = "terraform"))]
mod absent {
    use formwork_contract::Diagnostic;

    use crate::cli::args::ServeProvider;
    use crate::cli::session::{Outcome, Session};

    pub(crate) async fn serve_provider(_session: &Session, _arguments: &ServeProvider) -> Outcome {
        Err(Diagnostic::error("this build does not speak Terraform's plugin protocol")
            .hint("Build Formwork with the feature `terraform`: `cargo build --features terraform`.")
            .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_a_provider_by_its_name() {
        let name = |program: &str| provider_of(Path::new(program));
        assert_eq!(name("/usr/bin/terraform-provider-sandbox").as_deref(), Some("sandbox"));
        assert_eq!(name("terraform-provider-sandbox_v0.1.0_x6").as_deref(), Some("sandbox"));
        assert_eq!(name("./formwork-provider-sandbox").as_deref(), Some("sandbox"));
        assert_eq!(name("/terraform-provider-sandbox/formwork"), None);
        assert_eq!(name("terraform-provider-"), None);
    }

    #[test]
    fn what_follows_the_name_stays() {
        let given = ["terraform-provider-sandbox", "--help"].map(OsString::from);
        assert_eq!(arguments(given.into_iter()), ["terraform-provider-sandbox", "serve-provider", "sandbox", "--help"]);
        let given = ["formwork", "plan"].map(OsString::from);
        assert_eq!(arguments(given.clone().into_iter()), given);
    }
}
