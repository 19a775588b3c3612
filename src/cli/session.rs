//! One run of the program: what it was asked, where it writes, and how it ends.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use formwork_contract::{Diagnostic, Diagnostics};
use serde_json::Value as Json;

use super::args::{Global, Variables};
use super::log::Log;
use super::progress::Watcher;
use super::render::diagnostic;
use super::terminal::{Environment, Terminal};
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::live::Redactor;
use crate::workflow::{self, AskPassphrase, PluginSettings, Secrecy, VariableSource, Workspace};

/// What every verb is given.
#[derive(Debug)]
pub(super) struct Session {
    pub global: Global,
    pub environment: Environment,
    pub terminal: Terminal,
    /// What must not be told, as far as it became known.
    pub redactor: Arc<Redactor>,
    /// What was asked for; it is being written.
    pub log: Option<Log>,
    /// The folder that the process was started in.
    pub working_dir: PathBuf,
}

/// How a verb ended that went well: the exit code.
pub(super) type Outcome = Result<u8, Stop>;

/// Done, and nothing is wrong.
pub(super) const DONE: u8 = 0;
/// Something went wrong, and was told.
pub(super) const FAILED: u8 = 1;
/// There are changes, for those who asked.
pub(super) const CHANGES: u8 = 2;
/// A release waits before one of its waves: for a person, or for a time.
pub(super) const PAUSED: u8 = 3;
/// A rehearsal in which what was does not come back.
pub(super) const NOT_RESTORED: u8 = 4;
/// A person stopped the run.
pub(super) const INTERRUPTED: u8 = 130;

/// Why a verb did not end well.
#[derive(Debug)]
pub(super) enum Stop {
    /// Each with its own sources.
    Failures(Vec<Failure>),
    /// Standard output or input failed.
    Terminal(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failures(vec![failure])
    }
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::from(Failure { sources: Default::default(), diagnostics: Diagnostics::from(diagnostic) })
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Terminal(error)
    }
}

impl Session {
    /// The folder that was asked for, or the one that the process was started in.
    pub(super) fn dir(&self) -> PathBuf {
        match &self.global.dir {
            Some(dir) => self.working_dir.join(dir),
            None => self.working_dir.clone(),
        }
    }

    /// A file that was named on the command line: relative to the folder of `-C`, as everything is.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        match &self.global.dir {
            Some(dir) => dir.join(path),
            None => path.to_owned(),
        }
    }

    /// Where providers without a cloud keep their state, if not in a folder of the blueprint's.
    pub(super) fn state_dir(&self) -> Option<PathBuf> {
        self.environment.get("FORMWORK_STATE_DIR").map(|dir| self.working_dir.join(dir))
    }

    pub(super) fn workspace(&self, variables: &Variables) -> Result<Workspace, Stop> {
        let mut sources: Vec<VariableSource> = ["TF_VAR_", "FORMWORK_VAR_"]
            .into_iter()
            .flat_map(|prefix| self.environment.starting_with(prefix))
            .map(|(name, text)| VariableSource::Environment { name: name.into(), text: text.into() })
            .collect();
        sources.extend(variables.files.iter().map(|file| VariableSource::File(self.path(file))));
        for given in &variables.variables {
            let Some((name, text)) = given.split_once('=') else {
                return Err(Diagnostic::error(format!("`--var {given}` gives no value"))
                    .hint("Write `--var NAME=VALUE`.")
                    .into());
            };
            sources.push(VariableSource::Argument { name: name.trim().into(), text: text.into() });
        }
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| self.environment.get(name)).unwrap_or("unknown");
        let actor = self.environment.get("FORMWORK_ACTOR").map(str::to_owned);
        Ok(Workspace {
            dir: self.dir(),
            environment: self.global.env.as_deref().filter(|name| !name.is_empty()).map(Into::into),
            variables: sources,
            home: self.environment.get("HOME").map(Into::into),
            working_dir: self.working_dir.clone(),
            actor: actor.unwrap_or_else(|| format!("{user}@{}", workflow::own_host())).into(),
            now_ms: jiff::Timestamp::now().as_millisecond(),
            parallelism: self.global.parallelism.map(std::num::NonZeroUsize::get),
            patience: self.global.locking.lock_timeout.unwrap_or_default(),
            registry: workflow::providers(self.plugins()?),
            store: self.global.store.as_ref().map(|folder| self.working_dir.join(self.path(folder))),
            machine: workflow::Machine::default(),
            secrecy: Secrecy {
                identities: self.global.identity.iter().map(|file| self.path(file)).collect(),
                ask: self.terminal.interactive.then(|| self.passphrases()),
                redactor: Arc::clone(&self.redactor),
            },
        })
    }

    /// Asks for the passphrase of each key file once.
    fn passphrases(&self) -> AskPassphrase {
        let (terminal, given) = (self.terminal, Mutex::new(HashMap::<PathBuf, Option<String>>::new()));
        Arc::new(move |file: &Path| {
            let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
            let ask = || terminal.ask_hidden(&format!("Passphrase of `{}`: ", file.display())).ok().flatten();
            given.entry(file.to_owned()).or_insert_with(ask).clone()
        })
    }

    /// Where plugins are found and how they are run: Terraform's own variables and files, and ours.
    pub(super) fn plugins(&self) -> Result<PluginSettings, Stop> {
        let path = |name: &str| self.environment.get(name).map(|path| self.working_dir.join(path));
        let home = path("HOME");
        let mut configurations = match path("TF_CLI_CONFIG_FILE") {
            Some(file) => vec![file],
            None => [".terraformrc", ".tofurc", ".terraform.d/credentials.tfrc.json"]
                .iter()
                .filter_map(|name| home.as_ref().map(|home| home.join(name)))
                .collect(),
        };
        // As Terraform does: a file that is not there says nothing.
        configurations.retain(|file| file.is_file());
        let folders = |list: &str| std::env::split_paths(list).map(|folder| self.working_dir.join(folder)).collect();
        let cache = path("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
        Ok(PluginSettings {
            root: self.dir(),
            working_dir: self.working_dir.clone(),
            configurations,
            search_path: self.environment.get("FORMWORK_PROVIDER_PATH").map(folders).unwrap_or_default(),
            data_folders: self.environment.get("XDG_DATA_DIRS").map_or_else(Vec::new, folders),
            tokens: self
                .environment
                .starting_with("TF_TOKEN_")
                .map(|(host, token)| (host_of(host), token.into()))
                .collect(),
            cache_dir: cache.map(|cache| cache.join("formwork")),
            timeout: self.provider_timeout()?,
            log_level: self.log.as_ref().map(Log::terraform_level),
            home,
        })
    }

    fn provider_timeout(&self) -> Result<Option<Duration>, Stop> {
        let Some(text) = self.environment.get("FORMWORK_PROVIDER_TIMEOUT") else { return Ok(None) };
        match text.parse() {
            Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(Diagnostic::error(format!("`FORMWORK_PROVIDER_TIMEOUT={text}` is no time"))
                .hint("give whole seconds, such as 300")
                .into()),
        }
    }

    /// Shows a run to whoever waits for it.
    pub(super) fn watcher(&self) -> Watcher {
        Watcher::new(self.terminal, self.global.json, Arc::clone(&self.redactor))
    }

    pub(super) fn print(&self, text: &str) -> Result<(), Stop> {
        Ok(self.terminal.print(text)?)
    }

    /// Messages in it tell nothing that is sensitive; values are the verb's own.
    pub(super) fn print_json(&self, json: &Json) -> Result<(), Stop> {
        match json.get("diagnostics") {
            Some(told) if told.as_array().is_some_and(|told| !told.is_empty()) => {
                let cleaned = self.cleaned_json(told);
                let mut json = json.clone();
                json["diagnostics"] = cleaned;
                self.print(&format!("{json}\n"))
            }
            _ => self.print(&format!("{json}\n")),
        }
    }

    fn cleaned_json(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => self.redactor.clean(text).into(),
            Json::Array(items) => items.iter().map(|item| self.cleaned_json(item)).collect(),
            Json::Object(entries) => {
                entries.iter().map(|(name, item)| (name.clone(), self.cleaned_json(item))).collect()
            }
            plain => plain.clone(),
        }
    }

    /// Messages as they are told: what is sensitive is taken out before lines are laid out, and of the snippets after.
    pub(super) fn told<'a>(&self, diagnostics: impl IntoIterator<Item = &'a Diagnostic>, sources: &Sources) -> String {
        let cleaned: Vec<Diagnostic> =
            diagnostics.into_iter().map(|diagnostic| self.redactor.cleaned(diagnostic.clone())).collect();
        self.redactor.clean(&diagnostic::diagnostics(&cleaned, sources, self.terminal.err)).into_owned()
    }

    /// Says what is to be said besides the result. With `--json` it is a part of the result instead.
    pub(super) fn warn<'a>(&self, warnings: impl IntoIterator<Item = &'a Diagnostic>, sources: &Sources) {
        if !self.global.json {
            self.terminal.tell(&self.told(warnings, sources));
        }
    }

    /// Tells why a verb stopped; answers the exit code.
    pub(super) fn report(&self, stop: &Stop) -> u8 {
        let failures = match stop {
            Stop::Failures(failures) => failures,
            Stop::Terminal(error) => {
                self.terminal.tell(&format!("error: standard output cannot be written: {error}\n"));
                return FAILED;
            }
        };
        if self.global.json {
            let json =
                diagnostic::to_json(failures.iter().map(|failure| (failure.diagnostics.iter(), &*failure.sources)));
            if let Err(stop) = self.print_json(&json) {
                return self.report(&stop);
            }
            return FAILED;
        }
        for failure in failures {
            self.terminal.tell(&self.told(failure.diagnostics.iter(), &failure.sources));
        }
        FAILED
    }

    /// Asks for a `yes`. Without anybody to ask it is a refusal; `instead` says what to do then.
    pub(super) fn consent(&self, question: &str, instead: &str) -> Result<bool, Stop> {
        self.answer(question, "yes", "Only `yes` is taken for consent: ", instead)
    }

    /// Asks for the name of the environment, where a `yes` is given too easily.
    pub(super) fn consent_by_name(&self, question: &str, name: &str, instead: &str) -> Result<bool, Stop> {
        self.answer(question, name, "Only the name of the environment is taken for consent: ", instead)
    }

    fn answer(&self, question: &str, word: &str, prompt: &str, instead: &str) -> Result<bool, Stop> {
        if !self.terminal.interactive || self.global.json {
            return Err(Diagnostic::error("nobody is there to approve this")
                .detail("Standard input or output is not a terminal.")
                .hint(instead)
                .into());
        }
        let answer = self.terminal.ask(&format!("\n{question}\n{prompt}"))?;
        Ok(answer.as_deref().map(str::trim) == Some(word))
    }
}

/// The host in the name of a token's variable: `_` stands for a dot there, and `__` for a dash.
fn host_of(name: &str) -> String {
    name.to_lowercase().split("__").map(|part| part.replace('_', ".")).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_token_is_told_by_its_variable() {
        assert_eq!(host_of("app_terraform_io"), "app.terraform.io");
        assert_eq!(host_of("my__registry_example_com"), "my-registry.example.com");
    }
}
