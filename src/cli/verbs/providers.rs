//! `providers`: which ones a blueprint needs, which packages serve them, and how those come here.

#[cfg(feature = "terraform")]
pub(crate) use present::{list, lock, mirror};

#[cfg(not(feature = "terraform"))]
pub(crate) use absent::{list, lock, mirror};

#[cfg(feature = "terraform")]
mod present {
    use crate::blueprint::sources::Sources;
    use crate::cli::args::{ProvidersLock, ProvidersMirror, Variables};
    use crate::cli::downloads::Downloads;
    use crate::cli::render::providers as render;
    use crate::cli::session::{DONE, Outcome, Session};
    use crate::workflow::{self, LockOptions, NetworkOptions};

    pub(crate) fn list(session: &Session) -> Outcome {
        let workspace = session.workspace(&Variables::default())?;
        let needed = workflow::needed_providers(&workspace, &session.plugins()?)?;
        if session.global.json {
            session.print_json(&render::needed_json(&needed))?;
            return Ok(DONE);
        }
        session.print(&render::needed(&needed, &workspace.dir, session.terminal.out))?;
        session.warn(&render::problems(&needed), &Sources::default());
        Ok(DONE)
    }

    pub(crate) async fn lock(session: &Session, arguments: &ProvidersLock) -> Outcome {
        let workspace = session.workspace(&Variables::default())?;
        let options = LockOptions {
            only: arguments.sources.clone(),
            platforms: arguments.platforms.clone(),
            upgrade: arguments.upgrade,
        };
        let downloads = Downloads::new(session.terminal, session.global.json);
        let outcome =
            workflow::lock_providers(&workspace, &session.plugins()?, &network(session), &options, &downloads).await;
        drop(downloads);
        let outcome = outcome?;
        if session.global.json {
            session.print_json(&render::locked_json(&outcome))?;
            return Ok(DONE);
        }
        session.print(&render::locked(&outcome, workflow::LOCK_FILE, session.terminal.out))?;
        session.warn(&render::unvouched(&outcome.selected), &Sources::default());
        Ok(DONE)
    }

    pub(crate) async fn mirror(session: &Session, arguments: &ProvidersMirror) -> Outcome {
        let workspace = session.workspace(&Variables::default())?;
        let into = session.working_dir.join(session.path(&arguments.folder));
        let downloads = Downloads::new(session.terminal, session.global.json);
        let platforms = &arguments.platforms;
        let outcome =
            workflow::mirror_providers(&workspace, &session.plugins()?, &network(session), into, platforms, &downloads)
                .await;
        drop(downloads);
        let packages = outcome?;
        if session.global.json {
            session.print_json(&render::mirrored_json(&packages))?;
            return Ok(DONE);
        }
        let folder = arguments.folder.display().to_string();
        session.print(&render::mirrored(&packages, &folder, session.terminal.out))?;
        Ok(DONE)
    }

    /// How other machines are reached: by the variables that other programs read, too.
    fn network(session: &Session) -> NetworkOptions {
        let either = |names: [&str; 2]| names.iter().find_map(|name| session.environment.get(name)).map(Into::into);
        NetworkOptions {
            https_proxy: either(["HTTPS_PROXY", "https_proxy"]),
            no_proxy: either(["NO_PROXY", "no_proxy"]),
            ca_file: session.environment.get("FORMWORK_CA_FILE").map(|file| session.working_dir.join(file)),
            ..NetworkOptions::default()
        }
    }
}

#[cfg(not(feature = "terraform"))]
mod absent {
    use formwork_contract::Diagnostic;

    use crate::cli::args::{ProvidersLock, ProvidersMirror};
    use crate::cli::session::{Outcome, Session};

    pub(crate) fn list(_session: &Session) -> Outcome {
        refusal()
    }

    pub(crate) async fn lock(_session: &Session, _arguments: &ProvidersLock) -> Outcome {
        refusal()
    }

    pub(crate) async fn mirror(_session: &Session, _arguments: &ProvidersMirror) -> Outcome {
        refusal()
    }

    fn refusal() -> Outcome {
        Err(Diagnostic::error("this build cannot start plugins")
            .detail("Its providers are linked in: there is nothing to be fetched or locked.")
            .hint("build with `--features terraform`")
            .into())
    }
}
