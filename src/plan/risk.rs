//! The grade of each change, with its reasons.
//!
//! What a type holds its provider may tell. Where it does not, and for what exposes an object, names tell: the words
//! are in the tables below, and `docs/reference/risk.md` says what they miss.

use std::collections::{BTreeSet, HashMap};

use formwork_contract::{Contents, Path, Step, Str, Value};

use super::model::{Action, Change, Risk};
use super::protection::takes_away;

/// Why a change has its grade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RiskReason {
    Creates,
    /// Only the record changes: an import, a move, a protection.
    Records,
    Updates,
    Forgets,
    Deletes,
    Replaces,
    /// It is deleted or replaced, and this says that it holds data.
    LosesData(DataHint),
    /// These attributes make it public.
    Exposes(Vec<Path>),
    /// These may: their values are known after apply.
    MayExpose(Vec<Path>),
    /// Its protection is taken away.
    Unprotects,
    /// It is protected, and taken away with a signed override.
    Overrides,
    /// So many others depend on it.
    DependedOn(usize),
}

/// Why an object is taken to hold data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataHint {
    /// Its provider says so, and calls it this.
    Contents(Str),
    /// This word in the name of its type.
    Word(Str),
    /// It is protected.
    Protected,
}

impl RiskReason {
    /// What a change with this reason is graded at least.
    pub fn grade(&self) -> Risk {
        match self {
            Self::Creates | Self::Records => Risk::Low,
            Self::Updates | Self::Forgets | Self::MayExpose(_) | Self::DependedOn(_) => Risk::Medium,
            Self::Deletes | Self::Replaces | Self::Exposes(_) | Self::Unprotects => Risk::High,
            Self::LosesData(_) | Self::Overrides => Risk::Critical,
        }
    }

    /// The word that JSON has for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Creates => "creates",
            Self::Records => "records",
            Self::Updates => "updates",
            Self::Forgets => "forgets",
            Self::Deletes => "deletes",
            Self::Replaces => "replaces",
            Self::LosesData(_) => "loses_data",
            Self::Exposes(_) => "exposes",
            Self::MayExpose(_) => "may_expose",
            Self::Unprotects => "unprotects",
            Self::Overrides => "overrides",
            Self::DependedOn(_) => "depended_on",
        }
    }

    /// For a person.
    pub fn told(&self) -> String {
        match self {
            Self::Creates => "it is made anew".into(),
            Self::Records => "only the record changes".into(),
            Self::Updates => "it changes in place".into(),
            Self::Forgets => "nobody manages it any more".into(),
            Self::Deletes => "it is deleted".into(),
            Self::Replaces => "it is deleted and made anew".into(),
            Self::LosesData(DataHint::Contents(what)) => format!("its {what} are lost for good"),
            Self::LosesData(DataHint::Word(word)) => format!("its data is lost: its type is a `{word}`"),
            Self::LosesData(DataHint::Protected) => "its data is lost: it is protected".into(),
            Self::Exposes(paths) => format!("it becomes public: {}", listed(paths)),
            Self::MayExpose(paths) => format!("it may become public, known after apply: {}", listed(paths)),
            Self::Unprotects => "its protection is taken away".into(),
            Self::Overrides => "it is protected, and an override lets it go".into(),
            Self::DependedOn(1) => "1 other depends on it".into(),
            Self::DependedOn(count) => format!("{count} others depend on it"),
        }
    }
}

pub(crate) fn listed(paths: &[Path]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}

/// Grades all changes. Linear in changes and their dependencies.
pub(super) fn assess(changes: &mut [Change]) {
    let mut dependents: HashMap<Str, usize> = HashMap::new();
    for change in changes.iter().filter(|change| change.deposed.is_none()) {
        let names: BTreeSet<&Str> = change.recorded_dependencies.iter().chain(&*change.dependencies).collect();
        names.into_iter().for_each(|name| *dependents.entry(name.clone()).or_default() += 1);
    }
    for change in changes {
        let depended = change.address.names().iter().filter_map(|name| dependents.get(name.as_str())).sum();
        change.risk_reasons = reasons(change, depended);
        change.risk = change.risk_reasons.iter().map(RiskReason::grade).max().unwrap_or(Risk::None);
    }
}

fn reasons(change: &Change, depended: usize) -> Vec<RiskReason> {
    let mut reasons = Vec::new();
    match change.action {
        Action::Read => return reasons,
        Action::NoOp => {
            let records = change.importing.is_some() || change.moved_from.is_some() || change.protection.changes();
            reasons.extend(records.then_some(RiskReason::Records));
        }
        Action::Create => reasons.push(RiskReason::Creates),
        Action::Update => reasons.push(RiskReason::Updates),
        Action::Forget => reasons.push(RiskReason::Forgets),
        Action::Delete => reasons.push(RiskReason::Deletes),
        Action::Replace(_) => reasons.push(RiskReason::Replaces),
    }
    if change.removes()
        && let Some(hint) = holds_data(change)
    {
        reasons.push(RiskReason::LosesData(hint));
    }
    if matches!(change.action, Action::Create | Action::Update | Action::Replace(_)) {
        let (sure, maybe) = exposures(change);
        reasons.extend((!sure.is_empty()).then_some(RiskReason::Exposes(sure)));
        reasons.extend((!maybe.is_empty()).then_some(RiskReason::MayExpose(maybe)));
    }
    if change.protection.is_lifted() && !takes_away(change) {
        reasons.push(RiskReason::Unprotects);
    }
    if change.protection.overridden.is_some() {
        reasons.push(RiskReason::Overrides);
    }
    if change.removes() && change.deposed.is_none() && depended > 0 {
        reasons.push(RiskReason::DependedOn(depended));
    }
    reasons
}

/// Words of resource types whose objects hold data.
const HOLD_DATA: &[&str] = &[
    "backup",
    "bigtable",
    "blob",
    "bucket",
    "cosmosdb",
    "database",
    "datastore",
    "db",
    "disk",
    "dynamodb",
    "ebs",
    "efs",
    "elasticache",
    "elasticsearch",
    "filesystem",
    "fileshare",
    "fsx",
    "kinesis",
    "kms",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "neptune",
    "opensearch",
    "postgresql",
    "queue",
    "rds",
    "redis",
    "redshift",
    "registry",
    "repository",
    "s3",
    "share",
    "snapshot",
    "spanner",
    "sql",
    "storage",
    "store",
    "stream",
    "table",
    "vault",
    "volume",
];

/// Last words of types that say something about such an object, and hold none themselves.
const HOLD_NONE: &[&str] = &[
    "access",
    "accelerate",
    "acl",
    "alarm",
    "alias",
    "association",
    "attachment",
    "binding",
    "block",
    "configuration",
    "controls",
    "credential",
    "encryption",
    "endpoint",
    "grant",
    "group",
    "iam",
    "logging",
    "member",
    "mount",
    "notification",
    "ownership",
    "parameters",
    "permission",
    "permissions",
    "policy",
    "proxy",
    "role",
    "rule",
    "rules",
    "settings",
    "target",
    "user",
    "versioning",
];

fn holds_data(change: &Change) -> Option<DataHint> {
    if let Some(what) = change.loses() {
        return Some(DataHint::Contents(what.clone()));
    }
    if change.protection.recorded {
        return Some(DataHint::Protected);
    }
    if change.kind.contents == Contents::Nothing {
        return None;
    }
    let words: Vec<&str> = change.address.type_name.split('_').skip(1).collect();
    if words.last().is_some_and(|last| HOLD_NONE.contains(last)) {
        return None;
    }
    words.iter().find(|word| HOLD_DATA.contains(word)).map(|word| DataHint::Word((*word).into()))
}

/// Attributes that make an object public where they are true.
const PUBLIC: &[&str] = &[
    "allow_blob_public_access",
    "allow_nested_items_to_be_public",
    "assign_public_ip",
    "associate_public_ip_address",
    "endpoint_public_access",
    "map_public_ip_on_launch",
    "public",
    "public_access",
    "public_access_enabled",
    "public_endpoint",
    "public_network_access_enabled",
    "publicly_accessible",
];

/// Attributes that make an object public where they are false.
const PRIVATE: &[&str] = &["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];

/// Attributes with words that make an object public.
const WORDS: &[(&str, &[&str])] = &[
    ("acl", &["public-read", "public-read-write", "website"]),
    ("access", &["public"]),
    ("visibility", &["public"]),
    ("public_network_access", &["Enabled"]),
    ("container_access_type", &["blob", "container"]),
];

/// Networks that hold every address, and principals that are everybody.
const EVERYBODY: &[&str] = &["0.0.0.0/0", "::/0", "allUsers", "allAuthenticatedUsers"];

/// Words of attributes and types by which an open network is where traffic goes to, and not where it comes from.
const OUTWARD: &[&str] = &["egress", "outbound", "route", "routes", "destination", "nat"];

/// The attributes by which an object becomes public that was not, and those of which nobody knows yet.
fn exposures(change: &Change) -> (Vec<Path>, Vec<Path>) {
    let mut before = BTreeSet::new();
    each_exposure(change, &change.before, &mut |path, found| {
        if found == Found::Public {
            before.insert(place(&change.before, path));
        }
    });
    let (mut sure, mut maybe): (Vec<Path>, Vec<Path>) = (Vec::new(), Vec::new());
    each_exposure(change, &change.after, &mut |path, found| {
        if before.contains(&place(&change.after, path)) {
            return;
        }
        match found {
            Found::Public => sure.push(path.clone()),
            Found::Unknown => maybe.push(path.clone()),
        }
    });
    (sure, maybe)
}

/// What is the same for an exposure that was there before: its path without indices and, where it stands in a block
/// or an object of its own, all of that. A rule that lets everybody in by another port is another rule.
fn place(value: &Value, path: &Path) -> String {
    let names = path.steps().into_iter().filter_map(|step| match step {
        Step::Attribute(name) | Step::Key(name) => Some(&**name),
        Step::Index(_) => None,
    });
    let names = names.collect::<Vec<_>>().join(".");
    match parent(value, path) {
        Some(rule) if !std::ptr::eq(rule, value) => format!("{names} {:?}", rule.deep_unmarked()),
        _ => names,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Public,
    Unknown,
}

fn each_exposure(change: &Change, value: &Value, found: &mut dyn FnMut(&Path, Found)) {
    let is_outward = |name: &str| name.split('_').any(|word| OUTWARD.contains(&word));
    if is_outward(&change.address.type_name) || outward_side(value) {
        return;
    }
    value.walk(&Path::root(), &mut |path, part| {
        let steps = path.steps();
        let names = || {
            steps.iter().filter_map(|step| match step {
                Step::Attribute(name) | Step::Key(name) => Some(&**name),
                Step::Index(_) => None,
            })
        };
        let Some(name) = names().next_back() else { return };
        let is_set = matches!(steps.last(), Some(Step::Attribute(_)));
        if let Some(text) = part.as_str() {
            let word = WORDS.iter().any(|(attribute, words)| *attribute == name && words.contains(&text));
            let everybody =
                EVERYBODY.contains(&text) && !names().any(is_outward) && !parent(value, path).is_some_and(outward_side);
            if word || everybody {
                found(path, Found::Public);
            }
        } else if let Some(set) = part.as_bool() {
            if (set && PUBLIC.contains(&name)) || (!set && PRIVATE.contains(&name)) {
                found(path, Found::Public);
            }
        } else if is_set && part.is_unknown() && PUBLIC.contains(&name) {
            found(path, Found::Unknown);
        }
    });
}

/// What directly encloses a part that is an attribute, or an element of one.
fn parent<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    let steps = path.steps();
    let last = steps.iter().rposition(|step| matches!(step, Step::Attribute(_)))?;
    let outer: Path = steps[..last].iter().map(|step| (*step).clone()).collect();
    value.at(&outer)
}

/// Whether a rule says of itself that it is about traffic that goes out.
fn outward_side(rule: &Value) -> bool {
    ["type", "direction"].iter().filter_map(|name| rule.get_str(name)).any(|side| {
        let side = side.to_ascii_lowercase();
        OUTWARD.contains(&&*side)
    })
}
