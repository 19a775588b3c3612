//! The provider's configuration: its schema, and what is read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use formwork_contract::{Attribute, Block, Diagnostic, Diagnostics, Path, Str, Type, Value};

/// Where a sandbox stands when its configuration does not say.
const DEFAULT_REGION: &str = "local-1";

/// The most reads that a new object may stay hidden from.
const MAX_EVENTUAL_CONSISTENCY: i64 = 100;

/// One hour: more is a mistake, not a slow network.
const MAX_LATENCY_MS: i64 = 3_600_000;

/// What a `provider "sandbox"` block says.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub region: Str,
    /// The time that a call takes, on average.
    pub latency: Duration,
    pub throttle_percent: u64,
    pub failure_percent: u64,
    pub lost_answer_percent: u64,
    pub seed: i64,
    /// How many reads miss an object that was just created.
    pub eventual_consistency: u32,
    pub quota: Quota,
    pub forbidden: Forbidden,
}

/// Changes that the caller has no permission for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forbidden(BTreeSet<Str>);

impl Forbidden {
    /// Whether a change such as `create sandbox_network` is refused.
    pub(crate) fn has(&self, operation: &str) -> bool {
        self.0.contains(operation)
    }
}

/// How many objects there may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quota {
    any_type: Option<usize>,
    by_type: BTreeMap<Str, usize>,
}

impl Quota {
    /// The most objects of a type; `None` where there is no bound.
    pub(crate) fn of(&self, type_name: &str) -> Option<usize> {
        self.by_type.get(type_name).copied().or(self.any_type)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: DEFAULT_REGION.into(),
            latency: Duration::ZERO,
            throttle_percent: 0,
            failure_percent: 0,
            lost_answer_percent: 0,
            seed: 0,
            eventual_consistency: 0,
            quota: Quota::default(),
            forbidden: Forbidden::default(),
        }
    }
}

pub(crate) fn schema() -> Block {
    let number = |description: &str| Attribute::optional(Type::Number).describe(description);
    Block {
        description: "An embedded cloud: nothing to install, nothing to pay, and weather as you like it.".into(),
        ..Block::new([
            (
                "region",
                Attribute::optional(Type::String)
                    .describe("The region that objects are created in. `local-1` by default."),
            ),
            ("latency_ms", number("The time that a call takes on average, in milliseconds.")),
            ("throttle_percent", number("How many of a hundred calls are refused because there are too many.")),
            ("failure_percent", number("How many of a hundred changes stop half-way.")),
            ("lost_answer_percent", number("How many of a hundred changes end without an answer, made or not.")),
            ("seed", number("Decides which calls go wrong: the same seed gives the same weather.")),
            ("eventual_consistency", number("How many reads miss an object that was just created.")),
            (
                "quota",
                Attribute::optional(Type::Any)
                    .describe("The most objects of each type: a number for all types, or a map by resource type."),
            ),
            (
                "forbidden",
                Attribute::optional(Type::set(Type::String))
                    .describe("Changes that the caller may not make, such as `create sandbox_network`."),
            ),
        ])
    }
}

impl Settings {
    /// Reads a configuration; what is null or not known yet has its default.
    ///
    /// # Errors
    /// Numbers out of range, a quota that is neither a number nor a map of numbers by resource type.
    pub(crate) fn read(config: &Value, has_type: &dyn Fn(&str) -> bool) -> Result<Self, Diagnostics> {
        let mut reader = Reader { config, problems: Diagnostics::new() };
        let settings = Self {
            region: config.get_str("region").unwrap_or(DEFAULT_REGION).into(),
            latency: Duration::from_millis(reader.whole("latency_ms", 0, MAX_LATENCY_MS).unsigned_abs()),
            throttle_percent: reader.whole("throttle_percent", 0, 100).unsigned_abs(),
            failure_percent: reader.whole("failure_percent", 0, 100).unsigned_abs(),
            lost_answer_percent: reader.whole("lost_answer_percent", 0, 100).unsigned_abs(),
            seed: reader.whole("seed", i64::MIN, i64::MAX),
            eventual_consistency: u32::try_from(reader.whole("eventual_consistency", 0, MAX_EVENTUAL_CONSISTENCY))
                .unwrap_or_default(),
            quota: reader.quota(has_type),
            forbidden: reader.forbidden(has_type),
        };
        if settings.region.is_empty() || settings.region.contains([':', '/']) {
            reader.refuse("region", format!("`{}` is not the name of a region", settings.region));
        }
        if reader.problems.has_errors() { Err(reader.problems) } else { Ok(settings) }
    }
}

struct Reader<'a> {
    config: &'a Value,
    problems: Diagnostics,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, summary: String) {
        self.problems.push(Diagnostic::error(summary).path(Path::attribute(name)));
    }

    /// A whole number within bounds; 0 where there is none.
    fn whole(&mut self, name: &str, least: i64, most: i64) -> i64 {
        let Some(number) = self.config.get(name).and_then(Value::as_number) else { return 0 };
        match number.as_i64() {
            Some(whole) if (least..=most).contains(&whole) => whole,
            _ => {
                self.refuse(name, format!("`{name}` must be a whole number from {least} to {most}, not {number}"));
                0
            }
        }
    }

    fn forbidden(&mut self, has_type: &dyn Fn(&str) -> bool) -> Forbidden {
        let given = self.config.get("forbidden").map_or(Value::NULL, Value::deep_unmarked);
        let entries: Vec<Str> =
            given.elements().into_iter().flatten().filter_map(Value::as_str).map(Str::from).collect();
        for entry in &entries {
            let known = entry
                .split_once(' ')
                .is_some_and(|(verb, type_name)| matches!(verb, "create" | "update" | "delete") && has_type(type_name));
            if !known {
                self.refuse(
                    "forbidden",
                    format!("`{entry}` is no change: write `create`, `update` or `delete`, and a resource type of the sandbox"),
                );
            }
        }
        Forbidden(entries.into_iter().collect())
    }

    fn quota(&mut self, has_type: &dyn Fn(&str) -> bool) -> Quota {
        let mut quota = Quota::default();
        let given = self.config.get("quota").map_or(Value::NULL, Value::deep_unmarked);
        if given.is_null() || given.is_unknown() {
            return quota;
        }
        if let Some(number) = given.as_number() {
            quota.any_type = number.as_usize();
            if quota.any_type.is_none() {
                self.refuse("quota", format!("a quota must be a whole number of objects, not {number}"));
            }
            return quota;
        }
        let Some(entries) = given.entries() else {
            self.refuse("quota", format!("`quota` must be a number or a map, not {}", given.ty().friendly_name()));
            return quota;
        };
        for (type_name, bound) in entries.iter() {
            if !has_type(type_name) {
                self.refuse("quota", format!("`quota` names `{type_name}`, which is no resource type of the sandbox"));
            }
            match bound.as_number().and_then(formwork_contract::Number::as_usize) {
                Some(bound) => {
                    quota.by_type.insert(type_name.clone(), bound);
                }
                None if bound.is_unknown() => {}
                None => self.refuse("quota", format!("the quota of `{type_name}` must be a whole number of objects")),
            }
        }
        quota
    }
}
