//! `formwork` (or `terraform`) settings, and `provider`.

use formwork_contract::{Diagnostic, Diagnostics, Span};

use super::nested::body;
use super::reader::{Reader, labels};
use crate::blueprint::expression::ExprKind;
use crate::blueprint::model::{Attribute, ProviderConfig, RequiredProvider};
use crate::blueprint::syntax::SyntaxBlock;

pub(super) fn settings(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Vec<RequiredProvider> {
    if labels(&block, [], diagnostics).is_none() {
        return Vec::new();
    }
    let mut reader = Reader::new(block, diagnostics);
    // Kept for the tools that read it: no version of Formwork is excluded by what it says.
    reader.take_str("required_version");
    let required = reader.take_blocks("required_providers");
    for keyword in ["backend", "cloud"] {
        for block in reader.take_blocks(keyword) {
            reader.diagnostics.push(
                Diagnostic::warning(format!("The `{keyword}` block has no effect"))
                    .detail("Formwork keeps its own record instead of a state file.")
                    .label(block.header(), "ignored")
                    .hint("say where the record is kept in an `environment` block: `record { ... }`"),
            );
        }
    }
    // Hints to the registry and to Terraform itself, which change nothing here.
    reader.take("experiments");
    reader.take_blocks("provider_meta");
    reader.finish();
    let mut providers = Vec::new();
    for block in required {
        let mut reader = Reader::new(block, diagnostics);
        let attributes = reader.take_attributes();
        reader.finish();
        providers.extend(attributes.into_iter().filter_map(|attribute| required_provider(attribute, diagnostics)));
    }
    providers
}

fn required_provider(attribute: Attribute, diagnostics: &mut Diagnostics) -> Option<RequiredProvider> {
    let span = Span { end: attribute.value.span.end, ..attribute.name_span };
    let mut provider = RequiredProvider { name: attribute.name, span, source: None, version: None };
    // The form of old: a version alone.
    if let Some(version) = attribute.value.as_literal_str() {
        provider.version = Some(version.into());
        return Some(provider);
    }
    let ExprKind::Object(items) = &attribute.value.kind else {
        diagnostics.push(
            Diagnostic::error(format!("The requirement of provider `{}` must be an object", provider.name))
                .label(attribute.value.span, "an object is needed here")
                .hint(format!("write `{} = {{ source = \"...\" }}`", provider.name)),
        );
        return None;
    };
    for item in items {
        let field = match item.key.as_literal_str() {
            Some("source") => &mut provider.source,
            Some("version") => &mut provider.version,
            Some("configuration_aliases") => continue,
            _ => {
                diagnostics.push(
                    Diagnostic::error("Unknown setting in a provider requirement")
                        .label(item.key.span, "not known here")
                        .hint("it can have `source`, `version` and `configuration_aliases`"),
                );
                continue;
            }
        };
        match item.value.as_literal_str() {
            Some(text) => *field = Some(text.into()),
            None => diagnostics.push(
                Diagnostic::error("A provider requirement must be written out")
                    .label(item.value.span, "a quoted string is needed here"),
            ),
        }
    }
    Some(provider)
}

pub(super) fn provider(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<ProviderConfig> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let alias = reader.take_str("alias").map(|(text, _)| text);
    // The requirement of old; versions are now a matter of `required_providers`.
    reader.take_str("version");
    let config = reader.rest();
    Some(ProviderConfig { name: name.text, alias, span, config: body(config, diagnostics) })
}
