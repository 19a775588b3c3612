//! What differs between two sets of rules, setting by setting.

use std::collections::BTreeMap;

use formwork_contract::Str;

use super::rules::{Require, Rules};
use crate::plan::approval::RuleChange;
use crate::plan::json::risk_name;
use crate::plan::model::Risk;

/// Every setting that is not the same, in alphabetical order.
pub fn rule_changes(before: &Rules, after: &Rules) -> Vec<RuleChange> {
    let (before, after) = (settings(before), settings(after));
    let mut changes = Vec::new();
    for (setting, was) in &before {
        let is = after.get(setting);
        if is != Some(was) {
            changes.push(RuleChange { setting: setting.clone(), before: Some(was.clone()), after: is.cloned() });
        }
    }
    for (setting, is) in after.into_iter().filter(|(setting, _)| !before.contains_key(setting)) {
        changes.push(RuleChange { setting, before: None, after: Some(is) });
    }
    changes.sort_by(|a, b| a.setting.cmp(&b.setting));
    changes
}

/// Rules as settings, each in a text that is the same where the setting is. The names of files are told by what
/// stands in them.
fn settings(rules: &Rules) -> BTreeMap<Str, Str> {
    let mut settings: BTreeMap<Str, Str> = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(settings.insert(name.into(), value.into()));
    set("auto_approve", rules.auto_approve.to_string());
    set("separation", rules.separation.to_string());
    set("overlap", rules.overlap.to_string());
    set("clean", rules.clean.to_string());
    if let Some((_, text)) = &rules.expires {
        set("expires", text.to_string());
    }
    if let Some((branches, _)) = &rules.branches {
        set("branch", branches.to_string());
    }
    for (name, group) in &rules.groups {
        set(&format!("group \"{name}\""), group.members.to_string());
    }
    let mut by_group: BTreeMap<&Str, Vec<&Require>> = BTreeMap::new();
    for require in &rules.requires {
        by_group.entry(&require.group).or_default().push(require);
    }
    for (group, mut requires) in by_group {
        requires.sort_by_key(|require| (require.risk, require.count));
        let told = requires.into_iter().map(|require| match require.risk {
            Risk::None => require.count.to_string(),
            risk => format!("{} from risk {} on", require.count, risk_name(risk)),
        });
        set(&format!("require \"{group}\""), told.collect::<Vec<_>>().join(", "));
    }
    let mut lines: BTreeMap<Str, Vec<Str>> = BTreeMap::new();
    for (name, options) in rules.signers.told() {
        lines.entry(name).or_default().push(options);
    }
    for (name, options) in lines {
        set(&name, options.iter().map(|text| &**text).collect::<Vec<_>>().join("; "));
    }
    for fingerprint in rules.revoked.told() {
        set(&format!("revoked {fingerprint}"), "yes".into());
    }
    settings
}
