//! Takes a block apart: what is wanted is taken by name, what is left over is reported.

use formwork_contract::{Diagnostic, Diagnostics, Span, Str, suggest};

use crate::blueprint::model::Attribute;
use crate::blueprint::settings::a_block;
use crate::blueprint::syntax::{Label, Syntax, SyntaxBlock};

/// One block, while it is being read.
pub(super) struct Reader<'d> {
    /// As a message names it: `variable`, `lifecycle`.
    keyword: Str,
    header: Span,
    attributes: Vec<Attribute>,
    blocks: Vec<SyntaxBlock>,
    body_span: Span,
    known_attributes: Vec<&'static str>,
    known_blocks: Vec<&'static str>,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'d> Reader<'d> {
    pub(super) fn new(block: SyntaxBlock, diagnostics: &'d mut Diagnostics) -> Self {
        let header = block.header();
        Self {
            keyword: block.keyword,
            header,
            attributes: block.body.attributes,
            blocks: block.body.blocks,
            body_span: block.body.span,
            known_attributes: Vec::new(),
            known_blocks: Vec::new(),
            diagnostics,
        }
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<Attribute> {
        self.known_attributes.push(name);
        let at = self.attributes.iter().position(|attribute| &*attribute.name == name)?;
        Some(self.attributes.remove(at))
    }

    pub(super) fn require(&mut self, name: &'static str) -> Option<Attribute> {
        let taken = self.take(name);
        if taken.is_none() {
            self.diagnostics.push(
                Diagnostic::error(format!("The `{}` block has no `{name}`", self.keyword))
                    .label(self.header, format!("`{name}` is required here"))
                    .hint(format!("add `{name} = ...`")),
            );
        }
        taken
    }

    /// The keyword and the labels.
    pub(super) fn header(&self) -> Span {
        self.header
    }

    /// All attributes that were not taken yet.
    pub(super) fn take_attributes(&mut self) -> Vec<Attribute> {
        std::mem::take(&mut self.attributes)
    }

    /// A string that is known before anything is evaluated.
    pub(super) fn take_str(&mut self, name: &'static str) -> Option<(Str, Span)> {
        let attribute = self.take(name)?;
        self.literal_str(&attribute)
    }

    /// As [`Reader::take_str`], of an attribute that must be there.
    pub(super) fn require_str(&mut self, name: &'static str) -> Option<(Str, Span)> {
        let attribute = self.require(name)?;
        self.literal_str(&attribute)
    }

    fn literal_str(&mut self, attribute: &Attribute) -> Option<(Str, Span)> {
        let span = attribute.value.span;
        if let Some(text) = attribute.value.as_literal_str() {
            return Some((text.into(), span));
        }
        self.not_literal(&attribute.name, "a quoted string", span);
        None
    }

    /// A bool that is known before anything is evaluated.
    pub(super) fn take_bool(&mut self, name: &'static str) -> Option<(bool, Span)> {
        let attribute = self.take(name)?;
        let span = attribute.value.span;
        let value = attribute.value.as_literal_bool().or(match attribute.value.as_literal_str() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        });
        if value.is_none() {
            self.not_literal(name, "`true` or `false`", span);
        }
        value.map(|value| (value, span))
    }

    fn not_literal(&mut self, name: &str, wanted: &str, span: Span) {
        self.diagnostics.push(
            Diagnostic::error(format!("`{name}` must be {wanted}"))
                .detail("It is needed before anything is evaluated, so it can hold no reference and no function call.")
                .label(span, format!("{wanted} is needed here")),
        );
    }

    /// All nested blocks of this name.
    pub(super) fn take_blocks(&mut self, keyword: &'static str) -> Vec<SyntaxBlock> {
        self.known_blocks.push(keyword);
        self.blocks.extract_if(.., |block| &*block.keyword == keyword).collect()
    }

    /// All blocks that were not taken yet.
    pub(super) fn take_all_blocks(&mut self) -> Vec<SyntaxBlock> {
        std::mem::take(&mut self.blocks)
    }

    /// The nested block of this name, of which there may be one.
    pub(super) fn take_block(&mut self, keyword: &'static str) -> Option<SyntaxBlock> {
        let mut blocks = self.take_blocks(keyword).into_iter();
        let first = blocks.next()?;
        for again in blocks {
            self.diagnostics.push(
                Diagnostic::error(format!("The `{}` block has more than one `{keyword}` block", self.keyword))
                    .label(again.header(), "a second one")
                    .label(first.header(), "the first one")
                    .hint("put their contents into one block"),
            );
        }
        Some(first)
    }

    /// Whatever was not taken.
    pub(super) fn rest(self) -> Syntax {
        Syntax { attributes: self.attributes, blocks: self.blocks, span: self.body_span }
    }

    /// Everything that was not taken is a mistake.
    pub(super) fn finish(self) {
        for attribute in &self.attributes {
            let name = &*attribute.name;
            let what = format!("Unknown attribute `{name}` in {}", a_block(&self.keyword));
            let mut diagnostic = Diagnostic::error(what).label(attribute.name_span, "not known here");
            if self.known_blocks.contains(&name) {
                diagnostic = diagnostic.hint(format!("`{name}` is a block: write `{name} {{ ... }}` without `=`"));
            } else if let Some(meant) = suggest::nearest(name, self.known_attributes.iter().copied()) {
                diagnostic = diagnostic.hint(format!("did you mean `{meant}`?"));
            } else {
                diagnostic = diagnostic.hint(known(&self.known_attributes));
            }
            self.diagnostics.push(diagnostic);
        }
        for block in &self.blocks {
            let name = &*block.keyword;
            let what = format!("Unknown block `{name}` in {}", a_block(&self.keyword));
            let mut diagnostic = Diagnostic::error(what).label(block.header(), "not known here");
            if self.known_attributes.contains(&name) {
                diagnostic = diagnostic.hint(format!("`{name}` is an attribute: write `{name} = ...`"));
            } else if let Some(meant) = suggest::nearest(name, self.known_blocks.iter().copied()) {
                diagnostic = diagnostic.hint(format!("did you mean `{meant}`?"));
            }
            self.diagnostics.push(diagnostic);
        }
    }
}

fn known(names: &[&str]) -> String {
    match names {
        [] => "this block has no attributes".into(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("it can have {}", names.join(", "))
        }
    }
}

/// Exactly as many labels as the block is to have; `wanted` says what each one is.
pub(super) fn labels<const N: usize>(
    block: &SyntaxBlock,
    wanted: [&str; N],
    diagnostics: &mut Diagnostics,
) -> Option<[Label; N]> {
    if let Ok(labels) = <[Label; N]>::try_from(block.labels.clone()) {
        let valid = labels.iter().all(|label| {
            let valid = is_name(&label.text);
            if !valid {
                diagnostics.push(
                    Diagnostic::error(format!("`{}` is not a valid name", label.text))
                        .detail("A name begins with a letter or `_` and holds letters, digits, `_` and `-`.")
                        .label(label.span, "this name"),
                );
            }
            valid
        });
        return valid.then_some(labels);
    }
    let keyword = &block.keyword;
    let form: String = wanted.iter().map(|label| format!(" \"{}\"", label.to_uppercase())).collect();
    let count = block.labels.len();
    let diagnostic = if count < N {
        Diagnostic::error(format!("The `{keyword}` block has no {}", wanted[count]))
            .label(block.header(), format!("its {} is to follow", wanted[count]))
    } else {
        let surplus = &block.labels[N];
        Diagnostic::error(format!("The `{keyword}` block has too many labels"))
            .label(surplus.span, "this label is too much")
    };
    diagnostics.push(diagnostic.hint(format!("write `{keyword}{form} {{ ... }}`")));
    None
}

/// Whether a text can stand as a name in an address or a reference.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_' || char == '-')
}
