//! `artifact`: something of the repository or of the store, by digest.

use formwork_contract::{Diagnostic, Diagnostics, Span, Str};

use super::reader::{Reader, labels};
use crate::artifacts::{ArtifactKind, Digest, Origin, is_name};
use crate::blueprint::files::normalize;
use crate::blueprint::model::{Artifact, ArtifactOrigin};
use crate::blueprint::syntax::SyntaxBlock;

/// `dir` is the folder of the module that the block stands in.
pub(super) fn artifact(block: SyntaxBlock, dir: &str, diagnostics: &mut Diagnostics) -> Option<Artifact> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let source = reader.require_str("source");
    let sha256 = reader.take_str("sha256");
    let kind = reader.take_str("kind");
    let description = reader.take_str("description").map(|(text, _)| text);
    reader.finish();
    let sha256 = parsed(sha256, diagnostics, not_a_digest);
    let kind = parsed(kind, diagnostics, not_a_kind);
    let (text, at) = source?;
    let origin = origin(&text, at, dir, diagnostics)?;
    let (Ok(sha256), Ok(kind)) = (sha256, kind) else { return None };
    if sha256.is_none() && !matches!(origin, ArtifactOrigin::Repository(_)) {
        diagnostics.push(without_digest(&name.text, &text, span, at, &origin));
        return None;
    }
    if let Some((kind @ (ArtifactKind::Deb | ArtifactKind::Rpm), at)) = kind
        && matches!(origin, ArtifactOrigin::Repository(_))
    {
        diagnostics.push(
            Diagnostic::error(format!("Packages of the kind `{kind}` are not taken from the repository by themselves"))
                .detail("Whether a set is closed depends on what the hosts have, which somebody has to say.")
                .label(at, "a set of packages")
                .hint(format!(
                    "add it with `formwork artifacts add {} {text} --kind {kind}`, and name it: `source = \"{}\"`",
                    name.text, name.text
                )),
        );
        return None;
    }
    Some(Artifact { name: name.text, span, source: text, source_span: at, origin, sha256, kind, description })
}

/// What a text means, where one was given.
fn parsed<T: std::str::FromStr>(
    given: Option<(Str, Span)>,
    diagnostics: &mut Diagnostics,
    wrong: fn(&str, Span) -> Diagnostic,
) -> Result<Option<(T, Span)>, ()> {
    let Some((text, at)) = given else { return Ok(None) };
    text.parse().map(|parsed| Some((parsed, at))).map_err(|_| diagnostics.push(wrong(&text, at)))
}

fn not_a_digest(text: &str, at: Span) -> Diagnostic {
    Diagnostic::error(format!("`{text}` is no SHA-256 digest"))
        .label(at, "64 hexadecimal digits in lower case are needed here")
        .hint("`sha256sum FILE` and `formwork artifacts add` tell it")
}

fn not_a_kind(text: &str, at: Span) -> Diagnostic {
    let kinds = ArtifactKind::ALL.map(|kind| format!("`{kind}`")).join(", ");
    Diagnostic::error(format!("`{text}` is no kind of artifact"))
        .label(at, "not a kind")
        .hint(format!("kinds are {kinds}"))
}

/// What a `source` means: `./file` is of the repository, `/file` is not, anything else is a name in the store.
fn origin(text: &str, at: Span, dir: &str, diagnostics: &mut Diagnostics) -> Option<ArtifactOrigin> {
    let wrong = |hint: &str| {
        Diagnostic::error(format!("`{text}` names no artifact")).label(at, "not a source").hint(hint.to_owned())
    };
    let Ok(origin) = text.parse::<Origin>() else {
        diagnostics.push(wrong("write `oci:./folder:name`, or the path of a file or folder"));
        return None;
    };
    let path = origin.path().to_string_lossy().into_owned();
    if path.starts_with('/') {
        return Some(ArtifactOrigin::Outside(origin));
    }
    let is_relative = path.starts_with("./") || path.starts_with("../") || path == "." || path == "..";
    if !is_relative && matches!(origin, Origin::Path(_)) {
        if is_name(text) {
            return Some(ArtifactOrigin::Store(text.into()));
        }
        diagnostics.push(wrong("a file of the repository begins with `./`; a name in the store has no spaces"));
        return None;
    }
    if dir.starts_with('<') {
        diagnostics.push(wrong("a component that comes with Formwork has no files: name an artifact of the store"));
        return None;
    }
    let placed = normalize(&format!("{dir}/{path}"));
    Some(ArtifactOrigin::Repository(origin.at(placed)))
}

fn without_digest(name: &str, source: &str, span: Span, at: Span, origin: &ArtifactOrigin) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("The artifact `{name}` has no `sha256`"))
        .label(at, "this is not in the repository")
        .label(span, "`sha256` is required here");
    match origin {
        ArtifactOrigin::Store(_) => diagnostic
            .hint(format!("`formwork artifacts list` tells it; a file of the repository is written `./{source}`")),
        _ => diagnostic.hint("`formwork artifacts add` tells it; of a file, `sha256sum` does as well"),
    }
}

impl Artifact {
    /// The digest that the block says.
    pub fn stated(&self) -> Option<&Digest> {
        self.sha256.as_ref().map(|(digest, _)| digest)
    }
}
