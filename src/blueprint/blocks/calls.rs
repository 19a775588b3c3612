//! `module` and `component`: calls of other folders.

use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str};

use super::reader::{Reader, labels};
use super::references::{dependencies, provider};
use super::resource::repeat;
use crate::blueprint::expression::{Expr, ExprKind};
use crate::blueprint::model::{Module, ModuleCall, ProviderReference};
use crate::blueprint::syntax::SyntaxBlock;

/// A call whose module is still to be loaded.
#[derive(Clone, Debug)]
pub(in crate::blueprint) struct PendingCall {
    source: Source,
    call: ModuleCall,
}

/// Which folder a call means.
#[derive(Clone, Debug)]
pub(in crate::blueprint) enum Source {
    /// Relative to the calling module.
    Folder(Str, Span),
    /// The kind of a component.
    Component(Str, Span),
}

impl PendingCall {
    pub(in crate::blueprint) fn source(&self) -> &Source {
        &self.source
    }

    pub(in crate::blueprint) fn name(&self) -> &str {
        &self.call.name
    }

    /// Of the header.
    pub(in crate::blueprint) fn span(&self) -> Span {
        self.call.span
    }

    pub(in crate::blueprint) fn resolve(self, module: Arc<Module>) -> ModuleCall {
        ModuleCall { module, ..self.call }
    }
}

pub(super) fn module(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<PendingCall> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let mut reader = Reader::new(block, diagnostics);
    let source = reader.require_str("source");
    let version = reader.take("version");
    let call = call(None, name.text, reader);
    let (source, span) = source?;
    let local = source.starts_with("./") || source.starts_with("../") || &*source == "." || &*source == "..";
    if !local {
        diagnostics.push(
            Diagnostic::error(format!("The module source `{source}` is not a local path"))
                .detail("Modules are read from the blueprint's own repository: nothing is downloaded.")
                .label(span, "not a local path")
                .hint("copy the module into the repository and write `source = \"./modules/NAME\"`"),
        );
        return None;
    }
    if let Some(version) = version {
        diagnostics.push(
            Diagnostic::error("A module with a local path has no `version`")
                .label(version.name_span, "only registry modules have versions")
                .hint("remove `version`"),
        );
    }
    Some(PendingCall { source: Source::Folder(source, span), call })
}

pub(super) fn component(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<PendingCall> {
    let [kind, name] = labels(&block, ["kind", "name"], diagnostics)?;
    let reader = Reader::new(block, diagnostics);
    let call = call(Some(kind.text.clone()), name.text, reader);
    Some(PendingCall { source: Source::Component(kind.text, kind.span), call })
}

fn call(component: Option<Str>, name: Str, mut reader: Reader<'_>) -> ModuleCall {
    let span = reader.header();
    let repeat = repeat(&mut reader);
    let depends_on = reader.take("depends_on").map(|attribute| dependencies(attribute.value, reader.diagnostics));
    let providers = reader.take("providers").map(|attribute| providers(attribute.value, reader.diagnostics));
    let inputs = reader.take_attributes();
    reader.finish();
    ModuleCall {
        component,
        name,
        span,
        module: Arc::default(),
        inputs,
        repeat,
        depends_on: depends_on.unwrap_or_default(),
        providers: providers.unwrap_or_default(),
    }
}

/// `{ aws = aws.west }`: local name inside the module, and the configuration passed for it.
fn providers(value: Expr, diagnostics: &mut Diagnostics) -> Vec<(ProviderReference, ProviderReference)> {
    let span = value.span;
    let ExprKind::Object(items) = value.kind else {
        diagnostics.push(
            Diagnostic::error("`providers` must be an object")
                .label(span, "an object is needed here")
                .hint("write `providers = { aws = aws.west }`"),
        );
        return Vec::new();
    };
    items
        .into_vec()
        .into_iter()
        .filter_map(|item| Some((provider(item.key, diagnostics)?, provider(item.value, diagnostics)?)))
        .collect()
}
