//! Artifacts on their way to a host: what a change needs is brought there first, whole and by digest, so that the change
//! itself is one program as all others are.

use std::io::Read as _;
use std::sync::Arc;

use formwork_contract::Diagnostic;
use formwork_contract::artifact::{ArtifactContent, ArtifactError, ArtifactSource, PartRole};
use tokio::sync::mpsc;

use crate::fleet::Fleet;
use crate::machine::{Machine, Question};
use crate::shell::{DELIVER, program};
use crate::transport::{Broken, Payload};

/// How much is read from the store at once, in bytes.
const CHUNK: usize = 128 * 1024;

/// What a change needs on its host beside its program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cargo {
    /// The bytes of an artifact that is one piece.
    File { id: String },
    /// Of a set of packages this one, and what the host lacks of the others.
    Packages { id: String, name: String },
}

/// One piece.
#[derive(Debug)]
struct Piece {
    id: String,
    /// Of a package: its name and version.
    package: Option<(String, String)>,
}

/// Brings what is needed to a host; answers the digests under which it waits there, in the order of the set.
///
/// # Errors
/// The artifact is not what is needed, the store or the host fails. Nothing of the object was changed.
pub(crate) async fn bring(
    cargo: Cargo,
    artifacts: &Arc<dyn ArtifactSource>,
    machine: &Arc<Machine>,
    fleet: &Arc<Fleet>,
    ledger: &str,
) -> Result<Vec<String>, Box<Diagnostic>> {
    let pieces = {
        let (cargo, artifacts) = (cargo.clone(), Arc::clone(artifacts));
        blocking(move || pieces(&cargo, artifacts.as_ref())).await?
    };
    let wanted = wanted(&cargo, &pieces, machine, fleet).await?;
    for (digest, waits) in &wanted {
        if !waits {
            carry(digest, artifacts, machine, fleet, ledger).await?;
        }
    }
    Ok(wanted.into_iter().map(|(digest, _)| digest).collect())
}

fn pieces(cargo: &Cargo, artifacts: &dyn ArtifactSource) -> Result<Vec<Piece>, Box<Diagnostic>> {
    let told = |error: ArtifactError| Box::new(error.diagnostic());
    match cargo {
        Cargo::File { id } => {
            if !artifacts.parts(id).map_err(told)?.is_empty() {
                let problem = Diagnostic::error(format!("the artifact `{id}` is not one file"));
                return Err(Box::new(
                    problem.hint("give an artifact of the kind `file`; `formwork artifacts list` tells kinds"),
                ));
            }
            Ok(vec![Piece { id: id.clone(), package: None }])
        }
        Cargo::Packages { id, name } => {
            let parts = artifacts.parts(id).map_err(told)?;
            let packages: Vec<Piece> = parts
                .into_iter()
                .filter(|part| part.role == PartRole::Layer)
                .filter_map(|part| {
                    let package = part.package?;
                    Some(Piece {
                        id: part.id.to_string(),
                        package: Some((package.name.to_string(), package.version.to_string())),
                    })
                })
                .collect();
            if !packages.iter().any(|piece| piece.package.as_ref().is_some_and(|(of, _)| of == name)) {
                let all: Vec<&str> =
                    packages.iter().filter_map(|piece| Some(piece.package.as_ref()?.0.as_str())).collect();
                let problem = Diagnostic::error(format!("the artifact `{id}` has no Debian package `{name}`"));
                let has =
                    if all.is_empty() { "it is no set of them".into() } else { format!("it has {}", all.join(", ")) };
                let hint = "add the set anew with it: `formwork artifacts add NAME FOLDER --kind deb`";
                return Err(Box::new(problem.detail(format!("As far as is known, {has}.")).hint(hint)));
            }
            Ok(packages)
        }
    }
}

const SHELL: &str = r#"
# DIGEST: whether it waits here already.
delivery_waits() { if [ -f "$(delivered_at "$1")" ]; then put waits true; fi; }
# DIGEST NAME VERSION IS-WANTED-AS-IT-IS: not one that the host has as new or newer; never an older one of the other.
delivery_package() {
  command -v dpkg-query >/dev/null 2>&1 || { problem "the host has no \`dpkg\`: packages of the kind \`deb\` are for Debian and what comes from it"; return; }
  delivery_waits "$1"
  delivery_has=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$2" 2>/dev/null) || return 0
  case $delivery_has in installed\ *) ;; *) return 0 ;; esac
  if [ -n "$4" ]; then
    [ "${delivery_has#installed }" != "$3" ] || put here true
  elif dpkg --compare-versions "${delivery_has#installed }" ge "$3"; then
    put here true
  fi
}
"#;

/// What the host lacks: digests, and whether each waits there already.
async fn wanted(
    cargo: &Cargo,
    pieces: &[Piece],
    machine: &Arc<Machine>,
    fleet: &Arc<Fleet>,
) -> Result<Vec<(String, bool)>, Box<Diagnostic>> {
    static WHOLE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("{DELIVER}{SHELL}"));
    let ask = |piece: &Piece| {
        let words = match (&piece.package, cargo) {
            (Some((name, version)), Cargo::Packages { name: meant, .. }) => {
                let itself = if name == meant { "1" } else { "" };
                vec!["delivery_package".into(), digest(&piece.id).into(), name.clone(), version.clone(), itself.into()]
            }
            _ => vec!["delivery_waits".into(), digest(&piece.id).into()],
        };
        Question { shell: &WHOLE, words, entry: String::new() }
    };
    let answers = machine.ask(fleet, pieces.iter().map(ask).collect()).await;
    let mut wanted = Vec::new();
    for (piece, answer) in pieces.iter().zip(answers) {
        let answer = answer?;
        if let Some(why) = &answer.problem {
            return Err(Box::new(Diagnostic::error("packages cannot be installed").quote(why.clone())));
        }
        if answer.text("here").is_none() {
            wanted.push((digest(&piece.id).to_owned(), answer.text("waits").is_some()));
        }
    }
    Ok(wanted)
}

/// Brings one piece.
async fn carry(
    digest: &str,
    artifacts: &Arc<dyn ArtifactSource>,
    machine: &Arc<Machine>,
    fleet: &Arc<Fleet>,
    ledger: &str,
) -> Result<(), Box<Diagnostic>> {
    let id = format!("sha256:{digest}");
    let content = {
        let (id, artifacts) = (id.clone(), Arc::clone(artifacts));
        blocking(move || artifacts.open(&id).map_err(|error| Box::new(error.diagnostic()))).await?
    };
    let main = format!("deliver {digest} {}", content.length);
    let (sender, chunks) = mpsc::channel(4);
    let reading = tokio::task::spawn_blocking(move || read(content, &sender));
    let told = machine.deliver(fleet, &program(ledger, &[DELIVER], &main), Payload(chunks)).await;
    // A store that gave out comes first: then the host had to be told an end that was none.
    if let Ok(Err(error)) = reading.await {
        let problem =
            Diagnostic::error(format!("the artifact `{id}` cannot be read to its end")).detail(format!("{error}."));
        return Err(Box::new(
            problem.hint("`formwork artifacts verify` tells what is damaged; add it again to repair it"),
        ));
    }
    let answers = told.map_err(Broken::diagnostic)?;
    let outcome = answers.get("outcome");
    if outcome.and_then(|outcome| outcome.text("outcome")).as_deref() == Some("done") {
        return Ok(());
    }
    let said = outcome.and_then(|outcome| outcome.problem.clone()).unwrap_or_default();
    let hint = match said.contains("No space left") {
        true => "make room on the host's disk (`df -h`), and apply again: what is there already is not sent again",
        false => "put right what the host says, and apply again",
    };
    Err(Box::new(
        Diagnostic::error(format!("the artifact `{id}` cannot be brought to the host")).quote(said).hint(hint),
    ))
}

/// Reads a content in chunks. Whoever listens no more ends it.
fn read(mut content: ArtifactContent, to: &mpsc::Sender<Vec<u8>>) -> std::io::Result<()> {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = content.reader.read(&mut chunk)?;
        chunk.truncate(read);
        if read == 0 || to.blocking_send(chunk).is_err() {
            return Ok(());
        }
    }
}

/// The store reads from a disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Box<Diagnostic>> + Send + 'static,
) -> Result<T, Box<Diagnostic>> {
    let broke = |error| Box::new(Diagnostic::error("reading an artifact broke off").detail(format!("{error}.")));
    tokio::task::spawn_blocking(work).await.map_err(broke)?
}

/// The hexadecimal digits of an id.
pub(crate) fn digest(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}
