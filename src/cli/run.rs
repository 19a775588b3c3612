//! From the command line to an exit code.

use std::io;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use clap::error::ErrorKind;

use super::args::{Artifacts, Cli, Policy, Providers, Sandbox, Secrets, State, Verb, meant_option};
use super::log::Log;
use super::session::{CHANGES, DONE, FAILED, Outcome, Session};
use super::terminal::{Environment, Terminal};
use super::{limits, panic, verbs};
use crate::live::Redactor;

/// The exit code of a command line that is not understood.
const USAGE: u8 = CHANGES;

/// Runs the program with the arguments and the environment of the process.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    let cli = match Cli::try_parse_from(verbs::serve_provider::arguments(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error, &environment),
    };
    let mut terminal = Terminal::detect(&environment, cli.global.no_color);
    let redactor = Arc::<Redactor>::default();
    panic::install(terminal, Arc::clone(&redactor));
    let log = Log::wanted(&cli.global, &environment);
    // Lines of a log stand between those that would be redrawn.
    terminal.redraws &= !matches!(&log, Ok(Some(Log { file: None, .. })));
    let session = match working_dir() {
        Ok(working_dir) => Session {
            log: log.as_ref().ok().cloned().flatten(),
            global: cli.global,
            environment,
            terminal,
            redactor,
            working_dir,
        },
        Err(error) => {
            terminal.tell(&format!("error: the folder that this was started in is gone: {error}\n"));
            return ExitCode::from(FAILED);
        }
    };
    let logging = log.and_then(|log| log.map_or(Ok(()), |log| log.start(&session.redactor)));
    if let Err(stop) = logging {
        return ExitCode::from(session.report(&stop));
    }
    // What went wrong is told by the hook; here it only must not look like success.
    let code = std::panic::catch_unwind(AssertUnwindSafe(|| run(&session, cli.verb))).unwrap_or(FAILED);
    ExitCode::from(code)
}

fn run(session: &Session, verb: Verb) -> u8 {
    limits::raise_open_files();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            session.terminal.tell(&format!("error: the system gives no threads or no events: {error}\n"));
            return FAILED;
        }
    };
    let outcome = runtime.block_on(dispatch(session, verb));
    // A provider's call that hangs must not keep the process.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|stop| session.report(&stop))
}

async fn dispatch(session: &Session, verb: Verb) -> Outcome {
    match verb {
        Verb::Init(arguments) => verbs::start::init(session, &arguments),
        Verb::Validate(variables) => verbs::look::validate(session, &variables).await,
        Verb::Fmt(arguments) => verbs::fmt::fmt(session, &arguments),
        Verb::Plan(arguments) => verbs::change::plan(session, &arguments).await,
        Verb::Show(arguments) => verbs::look::show(session, &arguments).await,
        Verb::Apply(arguments) => verbs::change::apply(session, &arguments).await,
        Verb::Rehearse(arguments) => verbs::rehearse::rehearse(session, &arguments).await,
        Verb::Approve(arguments) => verbs::approval::approve(session, &arguments).await,
        Verb::Verify(arguments) => verbs::approval::verify(session, &arguments).await,
        Verb::Destroy(arguments) => verbs::change::destroy(session, &arguments).await,
        Verb::Rollback(arguments) => verbs::change::rollback(session, &arguments).await,
        Verb::Override(arguments) => verbs::protect::write(session, &arguments),
        Verb::Resume(arguments) => verbs::resume::resume(session, &arguments).await,
        Verb::History(arguments) => verbs::record::history(session, &arguments),
        Verb::Drift(arguments) => verbs::change::drift(session, &arguments).await,
        Verb::Output(arguments) => verbs::record::output(session, &arguments),
        Verb::State(State::List { within }) => verbs::record::list(session, &within).await,
        Verb::State(State::Show { address }) => verbs::record::show(session, &address).await,
        Verb::State(State::Mv { from, to }) => verbs::record::mv(session, &from, &to),
        Verb::State(State::Settle { address, as_is: true, .. }) => verbs::resume::settle_as_is(session, &address),
        Verb::State(State::Settle { address, id, .. }) => verbs::record::settle(session, &address, id.as_deref()).await,
        Verb::State(State::Rm { addresses, overrides }) => verbs::record::rm(session, &addresses, &overrides),
        Verb::State(State::Export(arguments)) => verbs::record::export(session, &arguments).await,
        Verb::Recover(arguments) => verbs::recover::recover(session, &arguments).await,
        Verb::Adopt(arguments) => verbs::adopt::adopt(session, &arguments).await,
        Verb::Import(arguments) => verbs::change::import(session, &arguments).await,
        Verb::Graph(arguments) => verbs::look::graph(session, &arguments),
        Verb::Console(variables) => verbs::console::console(session, &variables).await,
        Verb::Sandbox(Sandbox::Drift { address, changes }) => verbs::sandbox::drift(session, &address, &changes),
        Verb::Sandbox(Sandbox::Create { type_name, attributes }) => {
            verbs::sandbox::create(session, &type_name, &attributes)
        }
        Verb::Sandbox(Sandbox::Delete { address }) => verbs::sandbox::delete(session, &address),
        Verb::Sandbox(Sandbox::List) => verbs::sandbox::list(session),
        Verb::ServeProvider(arguments) => verbs::serve_provider::serve_provider(session, &arguments).await,
        Verb::Providers(Providers::List) => verbs::providers::list(session),
        Verb::Providers(Providers::Lock(arguments)) => verbs::providers::lock(session, &arguments).await,
        Verb::Providers(Providers::Mirror(arguments)) => verbs::providers::mirror(session, &arguments).await,
        Verb::Artifacts(Artifacts::Add(arguments)) => verbs::artifacts::add(session, &arguments),
        Verb::Artifacts(Artifacts::List) => verbs::artifacts::list(session),
        Verb::Artifacts(Artifacts::Verify) => verbs::artifacts::verify(session),
        Verb::Artifacts(Artifacts::Gc(arguments)) => verbs::artifacts::gc(session, &arguments),
        Verb::Artifacts(Artifacts::Remove { name }) => verbs::artifacts::remove(session, &name),
        Verb::Policy(Policy::Test(arguments)) => verbs::policy::test(session, &arguments),
        Verb::Policy(Policy::Check(arguments)) => verbs::policy::check(session, &arguments).await,
        Verb::Policy(Policy::Init) => verbs::policy::init(session),
        Verb::Policy(Policy::Except(arguments)) => verbs::policy::except(session, &arguments),
        Verb::Secrets(Secrets::List) => verbs::secrets::list(session),
        Verb::Secrets(Secrets::Rekey(arguments)) => verbs::secrets::rekey(session, &arguments),
        Verb::Completion(arguments) => verbs::start::completion(session, &arguments),
        Verb::Version => verbs::start::version(session),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn working_dir() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// Help and version are answers; anything else is told with what was surely meant.
fn misunderstood(error: &clap::Error, environment: &Environment) -> ExitCode {
    let terminal = Terminal::detect(environment, false);
    let shown = error.render();
    let text = |colour: bool| if colour { shown.ansi().to_string() } else { shown.to_string() };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let printed = terminal.print(&text(terminal.out.colour));
        return ExitCode::from(if printed.is_ok() { DONE } else { FAILED });
    }
    terminal.tell(&text(terminal.err.colour));
    let arguments = std::env::args_os().skip(1).filter_map(|argument| argument.into_string().ok());
    if let Some((meant, given)) = arguments.filter_map(|given| Some((meant_option(&given)?, given))).next() {
        terminal.tell(&format!("\nhint: options have two dashes here: write `{meant}` for `{given}`\n"));
    }
    ExitCode::from(USAGE)
}
