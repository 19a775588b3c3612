//! `--preflight`: asks the providers how far each change can be checked before anything is done.

use std::collections::BTreeMap;

use formwork_contract::provider::{PreflightGrade, PreflightRequest, Replacement};
use formwork_contract::{Diagnostics, Mode, Value};

use super::Secrets;
use super::model::{Action, Change, ReplaceOrder};
use super::walk::Walk;
use crate::graph::ProviderKey;

impl Walk<'_> {
    /// Gives each change its grade: all changes of a provider configuration are asked about in one call, type by
    /// type. What a provider refuses is an error of the plan. An opened plan has the grades of its file.
    pub(super) async fn preflight(&mut self) {
        if let Some(answers) = self.options.answers {
            for change in &mut self.changes {
                change.preflight = answers.preflight(&change.address, change.deposed.as_deref());
            }
            return;
        }
        if !self.options.preflight {
            return;
        }
        let mut by_provider: BTreeMap<ProviderKey, Vec<usize>> = BTreeMap::new();
        for (place, change) in self.changes.iter().enumerate().filter(|(_, change)| is_checked(change)) {
            by_provider.entry(change.provider.clone()).or_default().push(place);
        }
        for (key, mut places) in by_provider {
            places.sort_by_key(|place| {
                let address = &self.changes[*place].address;
                (address.type_name.clone(), address.clone())
            });
            let requests: Vec<PreflightRequest> = places.iter().map(|place| request(&self.changes[*place])).collect();
            let Some(configured) = self.reality.get(&key) else {
                places.iter().for_each(|place| self.changes[*place].preflight = Some(PreflightGrade::Unverified));
                continue;
            };
            let answers = configured.provider.preflight(&requests).await;
            let answers = answers.into_iter().map(Some).chain(std::iter::repeat(None));
            for (place, answer) in places.into_iter().zip(answers) {
                let change = &mut self.changes[place];
                // A provider that answers too little has not looked.
                change.preflight = Some(answer.as_ref().map_or(PreflightGrade::Unverified, |answer| answer.grade));
                let told = answer.map(|answer| about(change, answer.diagnostics)).unwrap_or_default();
                self.diagnostics.append(told);
            }
        }
    }
}

fn is_checked(change: &Change) -> bool {
    change.address.mode == Mode::Managed
        && matches!(change.action, Action::Create | Action::Update | Action::Replace(_) | Action::Delete)
}

fn request(change: &Change) -> PreflightRequest {
    PreflightRequest {
        type_name: change.kind.name.clone(),
        address: change.address.clone(),
        prior: change.before.deep_unmarked(),
        config: change.config.deep_unmarked(),
        planned: match change.action {
            Action::Delete => Value::Null(change.kind.ty.clone()),
            _ => change.after.deep_unmarked(),
        },
        replace: match change.action {
            Action::Replace(ReplaceOrder::DeleteFirst) => Some(Replacement::DeleteFirst),
            Action::Replace(ReplaceOrder::CreateFirst) => Some(Replacement::CreateFirst),
            _ => None,
        },
        private: change.private.clone(),
    }
}

fn about(change: &Change, diagnostics: Diagnostics) -> Diagnostics {
    let secrets = Secrets::of([&change.before, &change.config, &change.after]);
    let placed = diagnostics.into_iter().map(|diagnostic| {
        let diagnostic = secrets.redacted(diagnostic).address(&change.address);
        match change.span {
            Some(span) if diagnostic.labels.is_empty() => diagnostic.label(span, format!("for `{}`", change.address)),
            _ => diagnostic,
        }
    });
    placed.collect()
}

/// What a grade is called, for people.
pub fn grade_told(grade: PreflightGrade) -> &'static str {
    match grade {
        PreflightGrade::Server => "checked by the server",
        PreflightGrade::Permission => "permission and quota checked",
        PreflightGrade::Schema => "schema only",
        PreflightGrade::Unverified => "unverified",
    }
}

/// The word of a grade in JSON and in plan files.
pub fn grade_name(grade: PreflightGrade) -> &'static str {
    match grade {
        PreflightGrade::Server => "server",
        PreflightGrade::Permission => "permission",
        PreflightGrade::Schema => "schema",
        PreflightGrade::Unverified => "unverified",
    }
}

/// The grade of a word.
pub(super) fn grade_of(name: &str) -> Option<PreflightGrade> {
    let all = [PreflightGrade::Server, PreflightGrade::Permission, PreflightGrade::Schema, PreflightGrade::Unverified];
    all.into_iter().find(|grade| grade_name(*grade) == name)
}
