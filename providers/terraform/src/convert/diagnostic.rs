//! Messages to people.

use formwork_contract::{Diagnostic, Diagnostics, Severity};

use super::path;
use crate::proto;

/// All of them, in their order. One whose severity is not known is an error.
pub(crate) fn from_wire(messages: Vec<proto::Diagnostic>) -> Diagnostics {
    messages.into_iter().map(one_from_wire).collect()
}

fn one_from_wire(message: proto::Diagnostic) -> Diagnostic {
    let severity = match message.severity() {
        proto::Severity::Warning => Severity::Warning,
        proto::Severity::Error | proto::Severity::Invalid => Severity::Error,
    };
    // A provider that has nothing to say in the summary still says it in the detail.
    let (summary, detail) = match (message.summary.trim(), message.detail.trim()) {
        ("", "") => ("the provider gave no reason".to_owned(), String::new()),
        ("", detail) => (detail.to_owned(), String::new()),
        (summary, detail) => (summary.to_owned(), detail.to_owned()),
    };
    let path = message.attribute.map(path::from_wire).filter(|path| !path.is_root());
    Diagnostic { severity, path, ..Diagnostic::error(summary).detail(detail) }
}

/// All of them, in their order. A hint becomes the end of the detail.
pub(crate) fn to_wire(diagnostics: &Diagnostics) -> Vec<proto::Diagnostic> {
    diagnostics.iter().map(one_to_wire).collect()
}

fn one_to_wire(diagnostic: &Diagnostic) -> proto::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Warning => proto::Severity::Warning,
        Severity::Error => proto::Severity::Error,
    };
    let detail = match &diagnostic.hint {
        Some(hint) if diagnostic.detail.is_empty() => format!("Hint: {hint}"),
        Some(hint) => format!("{}\n\nHint: {hint}", diagnostic.detail),
        None => diagnostic.detail.clone(),
    };
    proto::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary.clone(),
        detail,
        attribute: diagnostic.path.as_ref().map(path::to_wire),
    }
}

#[cfg(test)]
mod tests {
    use formwork_contract::Path;

    use super::*;

    #[test]
    fn what_is_said_survives() {
        let mut said = Diagnostics::from(Diagnostic::warning("the name is long").path(Path::attribute("name")));
        said.push(Diagnostic::error("there is no such image").detail("The registry answered 404."));
        assert_eq!(from_wire(to_wire(&said)), said);
    }

    #[test]
    fn a_hint_is_not_lost() {
        let told = to_wire(&Diagnostic::error("no").detail("Because.").hint("ask again").into());
        assert_eq!(told[0].detail, "Because.\n\nHint: ask again");
    }

    #[test]
    fn an_odd_message_is_an_error_with_a_summary() {
        let message = proto::Diagnostic { severity: 77, detail: "disk full".into(), ..Default::default() };
        let read = from_wire(vec![message, proto::Diagnostic::default()]);
        assert!(read.iter().all(Diagnostic::is_error));
        let summaries: Vec<_> = read.iter().map(|diagnostic| diagnostic.summary.as_str()).collect();
        assert_eq!(summaries, ["disk full", "the provider gave no reason"]);
    }
}
