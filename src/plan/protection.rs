//! Protection: objects that are deleted, replaced or forgotten only with a signed override that names them.
//!
//! Which objects are protected stands in the record, so that no change of the blueprint takes the protection away
//! together with the object. What the blueprint says now is for the next plan.

use std::collections::HashMap;
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics, Mode, ModulePath, Span, Str};

use super::model::{Action, Change, Reason};
use super::undo::Deed;
use super::walk::Walk;
use super::wildcard::Wildcards;
use crate::blueprint::model::Environment;
use crate::blueprint::settings::SettingsReader;

/// Whether an object is protected, by the record and after the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    pub recorded: bool,
    pub planned: bool,
    /// What allows to take a protected object away all the same.
    pub overridden: Option<Arc<Overridden>>,
}

impl Protection {
    /// Whether the record is to say something else.
    pub fn changes(&self) -> bool {
        self.recorded != self.planned
    }

    /// As the record has it, for an object that is left alone.
    #[must_use]
    pub fn unchanged(&self) -> Self {
        Self { recorded: self.recorded, planned: self.recorded, overridden: None }
    }

    /// Whether the protection is taken away.
    pub fn is_lifted(&self) -> bool {
        self.recorded && !self.planned
    }
}

/// What somebody signed so that protected objects can be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// The file that says so, as it was named.
    pub file: Str,
    pub signer: Str,
    pub reason: Str,
    /// As it is written.
    pub until: Str,
    /// What was signed, byte for byte.
    pub text: Str,
    /// The signature that counted, in the armored form of `ssh-keygen -Y sign`.
    pub signature: Str,
}

/// An override as it was found, with the detached signatures beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideFile {
    /// As a person would type it.
    pub name: Str,
    pub text: Str,
    /// In the armored form of `ssh-keygen -Y sign`.
    pub signatures: Vec<Str>,
}

/// The overrides that hold: whoever makes them has checked their signatures.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Kept with the plan, to be checked again when it is applied.
    pub files: Vec<OverrideFile>,
    pub by_address: HashMap<Address, Arc<Overridden>>,
}

/// `protect { }` of an environment: what is protected by address or type.
#[derive(Debug, Default)]
pub(super) struct Rules {
    patterns: Vec<(Str, Span)>,
}

impl Rules {
    /// Reads the block of an environment.
    ///
    /// # Errors
    /// Everything in it that is wrong.
    pub(super) fn read(environment: Option<&Environment>) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let mut rules = Self::default();
        let blocks = environment.into_iter().flat_map(|environment| &environment.settings);
        for block in blocks.filter(|block| &*block.type_name == "protect") {
            let mut reader = SettingsReader::new(block, &mut diagnostics);
            reader.no_labels();
            let resources = reader.texts("resources");
            reader.finish();
            match resources {
                Some((patterns, span)) => rules.patterns.extend(patterns.into_iter().map(|pattern| (pattern, span))),
                None if block.body.attributes.is_empty() => diagnostics.push(
                    Diagnostic::error("a `protect` block protects nothing")
                        .label(block.span, "`resources` is to follow")
                        .hint("name addresses or types: `resources = [\"sandbox_registry\", \"component.logging.*\"]`"),
                ),
                None => {}
            }
        }
        diagnostics.into_result(rules).map(|(rules, _)| rules)
    }

    /// The places of the patterns that match an address: its type, the address with or without its key, or a module
    /// that it stands in.
    fn matching(&self, address: &Address) -> Vec<usize> {
        if self.patterns.is_empty() {
            return Vec::new();
        }
        let steps = address.module.steps();
        let mut names = vec![address.type_name.to_string(), address.to_string(), address.config().to_string()];
        for length in 1..=steps.len() {
            let path: ModulePath = steps[..length].iter().cloned().collect();
            names.push(path.to_string());
            names.push(path.config().to_string());
        }
        let matches = |pattern: &str| names.iter().any(|name| glob(pattern, name));
        (0..self.patterns.len()).filter(|place| matches(&self.patterns[*place].0)).collect()
    }
}

/// Whether a text fits a pattern in which `*` stands for any run of characters and `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    Wildcards { run: '*', one: '?' }.matches(&pattern, &text)
}

impl Walk<'_> {
    /// Says of each change whether its object is protected, and refuses what would take a protected one away.
    pub(super) fn protect(&mut self, rules: &Rules) {
        let mut used = vec![false; rules.patterns.len()];
        let mut changes = std::mem::take(&mut self.changes);
        for change in changes.iter_mut().filter(|change| change.address.mode == Mode::Managed) {
            let matching = rules.matching(&change.address);
            matching.iter().for_each(|place| used[*place] = true);
            // What a replacement left behind was let go of by the plan that replaced it.
            if change.deposed.is_none() {
                change.protection = self.protection(change, !matching.is_empty());
                self.diagnostics.append(self.refusal(change, !matching.is_empty()).into_iter().collect());
            }
        }
        self.changes = changes;
        self.unused_patterns(rules, &used);
    }

    fn protection(&self, change: &Change, matched: bool) -> Protection {
        let takes = takes_away(change);
        let overridden = self.options.overrides.by_address.get(&change.address).filter(|_| takes).cloned();
        if self.options.undo.is_some() {
            return Protection { overridden, ..change.protection.clone() };
        }
        if self.options.recovering {
            let planned = matched || self.protecting_block(&change.address).is_some();
            return Protection { recorded: false, planned, overridden: None };
        }
        let recorded = self.observed.get(&change.address).is_some_and(|object| object.recorded.protected);
        let is_claimed = self.origins.contains_key(&change.address);
        let planned = if is_claimed { matched || self.protecting_block(&change.address).is_some() } else { recorded };
        Protection { recorded, planned: planned && change.action != Action::Delete, overridden }
    }

    /// Whether a run that is taken back made the object itself, or made it the record's: the consent to the run is
    /// the consent to its way back.
    fn is_own_of_undone(&self, change: &Change) -> bool {
        let objects = self.options.undo.iter().flat_map(|undo| &undo.objects);
        let mut at_address = objects.filter(|object| object.address == change.address);
        at_address.any(|object| object.made || (object.deed == Deed::Imported && change.action == Action::Forget))
    }

    /// Where the block of an object says `protect = true`.
    fn protecting_block(&self, address: &Address) -> Option<Span> {
        self.evaluation.resource(self.block_of(address)?).lifecycle.protect
    }

    /// Why a change may not be: it takes away what is protected.
    fn refusal(&self, change: &Change, matched: bool) -> Option<Diagnostic> {
        let protection = &change.protection;
        let block = self.protecting_block(&change.address);
        // What others did since a plan file was written is no part of it.
        if self.options.recovering || self.options.answers.is_some_and(|answers| !answers.touches(change)) {
            return None;
        }
        // What was made only in part holds nothing yet.
        let is_guarded = protection.recorded || ((matched || block.is_some()) && !change.tainted);
        if !takes_away(change) || !is_guarded || protection.overridden.is_some() || self.is_own_of_undone(change) {
            return None;
        }
        let verb = match change.action {
            Action::Replace(_) => "replace",
            Action::Forget => "forget",
            _ => "destroy",
        };
        let address = &change.address;
        let lifted = protection.recorded && !matched && block.is_none() && self.block_of(address).is_some();
        let mut refused = Diagnostic::error(format!("the plan would {verb} `{address}`, which is protected"))
            .detail(match (protection.recorded, lifted) {
                (true, true) => {
                    "The record says so. The blueprint no longer does, and that holds from the next plan on."
                }
                (true, false) => "The record says so, whatever the blueprint says now.",
                (false, _) => "The blueprint says so.",
            })
            .address(address)
            .hint(format!(
                "leave it out with `--exclude '{address}'`, take the protection away in a change of its own first, or \
                 have an override signed: `formwork override '{address}' --reason ... --until ...`"
            ));
        if let Some(span) = block.or(change.span) {
            refused = refused.label(span, if block.is_some() { "protected here" } else { "this one" });
        }
        Some(refused)
    }

    /// A pattern that nothing fits protects nothing: most likely it is misspelt.
    fn unused_patterns(&mut self, rules: &Rules, used: &[bool]) {
        let is_partial = self.focus.is_some() || !self.deferred.is_empty() || self.diagnostics.has_errors();
        if is_partial || self.options.kind == super::model::PlanKind::Destroy {
            return;
        }
        for ((pattern, span), _) in rules.patterns.iter().zip(used).filter(|(_, used)| !**used) {
            self.diagnostics.push(
                Diagnostic::warning(format!("`{pattern}` protects nothing"))
                    .detail("No object of the blueprint or of the record has such an address or type.")
                    .label(*span, "named here")
                    .hint("`formwork state list` shows addresses; `*` stands for any characters"),
            );
        }
    }
}

/// Whether an object that stands is taken away by a change.
pub(super) fn takes_away(change: &Change) -> bool {
    change.deposed.is_none()
        && match change.action {
            Action::Delete | Action::Replace(_) => true,
            // What is gone from reality needs no protection any more.
            Action::Forget => change.reason != Some(Reason::Vanished),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, fits) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.b[\"x\"]", true),
            ("*_db_*", "aws_db_instance", true),
            ("*a*b", "xaxxbxb", true),
            ("*a*b", "xaxxbx", false),
            ("a?c", "abc", true),
            ("", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_may_name_a_type_a_block_an_instance_or_a_module() {
        let span = Span { file: formwork_contract::FileId(0), start: 0, end: 0 };
        let address: Address = r#"component.logging.main.sandbox_log_store.main["eu"]"#.parse().expect("an address");
        let all = [
            "sandbox_log_store",
            "component.logging.main",
            "component.logging.*",
            "component.logging.main.sandbox_log_store.main",
            r#"component.logging.main.sandbox_log_store.main["eu"]"#,
        ];
        for pattern in all {
            assert_eq!(Rules { patterns: vec![(pattern.into(), span)] }.matching(&address), [0], "{pattern}");
        }
        for pattern in ["sandbox_log", "component.logging", "main"] {
            assert!(Rules { patterns: vec![(pattern.into(), span)] }.matching(&address).is_empty(), "{pattern}");
        }
    }
}
