//! Rules of `aws_s3_bucket_lifecycle_configuration`: as blocks, and as S3 has them.
//!
//! Two rules are the same where S3 would be told the same: what is left out is what S3 takes it for.

use aws_sdk_s3::types;
use aws_sdk_s3::types::builders::LifecycleRuleBuilder;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use formwork_contract::{Attribute, Block, Entries, Nesting, Type, Value};

use crate::fields::{Fields, flag, text, whole};

const ABORT: &str = "abort_incomplete_multipart_upload";
const OLD_EXPIRATION: &str = "noncurrent_version_expiration";
const OLD_TRANSITION: &str = "noncurrent_version_transition";

pub(super) fn block() -> Block {
    let number = |text: &str| Attribute::optional(Type::Number).describe(text);
    let word = |text: &str| Attribute::optional(Type::String).describe(text);
    let class = || {
        Attribute::required(Type::String).describe(
            "Where to: `STANDARD_IA`, `ONEZONE_IA`, `INTELLIGENT_TIERING`, `GLACIER_IR`, `GLACIER`, `DEEP_ARCHIVE`.",
        )
    };
    let sizes = || {
        [
            ("object_size_greater_than", number("Objects of more bytes than this.")),
            ("object_size_less_than", number("Objects of fewer bytes than this.")),
            ("prefix", word("Objects whose keys begin like this.")),
        ]
    };
    let tag = Block::new([
        ("key", Attribute::required(Type::String).describe("The tag's key.")),
        ("value", Attribute::required(Type::String).describe("The tag's value.")),
    ]);
    let mut and = Block::new(sizes());
    let tags = Attribute::optional(Type::map(Type::String)).describe("Tags, all of which an object carries.");
    and.attributes.insert("tags".into(), tags);
    let filter = Block::new(sizes()).with_block("and", Nesting::List, and).with_block("tag", Nesting::List, tag);
    let dates = || {
        [
            ("date", word("On this day, such as `2027-01-31T00:00:00Z`.")),
            ("days", number("So many days after the object was made.")),
        ]
    };
    let mut expiration = Block::new(dates());
    let marker = Attribute::optional(Type::Bool).describe("Marks of deleted objects go with their last version.");
    expiration.attributes.insert("expired_object_delete_marker".into(), marker);
    let mut transition = Block::new(dates());
    transition.attributes.insert("storage_class".into(), class());
    let old = || {
        [
            ("newer_noncurrent_versions", number("So many older versions stay in any case.")),
            ("noncurrent_days", number("So many days after a version was followed by another.")),
        ]
    };
    let mut old_transition = Block::new(old());
    old_transition.attributes.insert("storage_class".into(), class());
    let abort = Block::new([(
        "days_after_initiation",
        number("Uploads in parts that are not complete after so many days are given up."),
    )]);
    Block::new([
        ("id", Attribute::required(Type::String).describe("What the rule is called.")),
        ("status", Attribute::required(Type::String).describe("`Enabled` or `Disabled`.")),
        ("prefix", word("Objects whose keys begin like this; `filter` says more.")),
    ])
    .with_block("filter", Nesting::List, filter)
    .with_block("expiration", Nesting::List, expiration)
    .with_block("transition", Nesting::Set, transition)
    .with_block(OLD_EXPIRATION, Nesting::List, Block::new(old()))
    .with_block(OLD_TRANSITION, Nesting::Set, old_transition)
    .with_block(ABORT, Nesting::List, abort)
}

/// What is wrong with a rule.
pub(super) fn mistake(rule: Fields<'_>) -> Option<String> {
    let status = rule.str("status")?;
    if !["Enabled", "Disabled"].contains(&status) {
        return Some(format!("`{status}` is no `status` of a rule: it is `Enabled` or `Disabled`"));
    }
    let dates = rule.blocks("transition").chain(rule.blocks("expiration"));
    dates
        .filter_map(|block| block.str("date"))
        .find(|given| date(given).is_none())
        .map(|given| format!("`{given}` is no day: it is written as `2027-01-31T00:00:00Z`"))
}

/// The rules of a list of blocks, sorted by their ids.
pub(super) fn of_value(rules: &Value) -> Vec<types::LifecycleRule> {
    let blocks = rules.elements().unwrap_or_default();
    let mut rules: Vec<_> = blocks.iter().filter_map(|rule| to_sdk(Fields(rule))).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules
}

fn to_sdk(rule: Fields<'_>) -> Option<types::LifecycleRule> {
    let mut transitions: Vec<_> = rule.blocks("transition").map(transition).collect();
    transitions
        .sort_by_key(|transition| (transition.days, transition.storage_class.clone().map(|class| class.to_string())));
    let mut old_transitions: Vec<_> = rule.blocks(OLD_TRANSITION).map(old_transition).collect();
    old_transitions.sort_by_key(|transition| {
        (transition.noncurrent_days, transition.storage_class.clone().map(|class| class.to_string()))
    });
    let built = types::LifecycleRule::builder()
        .set_id(rule.text("id"))
        .set_status(rule.word("status"))
        .set_filter(filter(rule))
        .set_expiration(rule.block("expiration").map(expiration))
        .set_transitions((!transitions.is_empty()).then_some(transitions))
        .set_noncurrent_version_transitions((!old_transitions.is_empty()).then_some(old_transitions))
        .set_noncurrent_version_expiration(rule.block(OLD_EXPIRATION).map(|block| {
            types::NoncurrentVersionExpiration::builder()
                .set_noncurrent_days(positive(block, "noncurrent_days"))
                .set_newer_noncurrent_versions(positive(block, "newer_noncurrent_versions"))
                .build()
        }))
        .set_abort_incomplete_multipart_upload(rule.block(ABORT).map(|block| {
            types::AbortIncompleteMultipartUpload::builder()
                .set_days_after_initiation(block.whole("days_after_initiation"))
                .build()
        }));
    // It builds where the rule has a status, as the schema asks for.
    with_prefix(built, rule).build().ok()
}

#[expect(deprecated, reason = "blueprints with older rules have it still")]
fn with_prefix(built: LifecycleRuleBuilder, rule: Fields<'_>) -> LifecycleRuleBuilder {
    built.set_prefix(rule.text("prefix").filter(|_| rule.block("filter").is_none()))
}

/// Which objects a rule is about. S3 asks for a filter where there is no prefix; an empty one means all.
fn filter(rule: Fields<'_>) -> Option<types::LifecycleRuleFilter> {
    let Some(filter) = rule.block("filter") else {
        let all = types::LifecycleRuleFilter::builder().prefix("").build();
        return rule.str("prefix").is_none().then_some(all);
    };
    let built = types::LifecycleRuleFilter::builder();
    if let Some(and) = filter.block("and") {
        let all = types::LifecycleRuleAndOperator::builder()
            .set_prefix(and.text("prefix").filter(|prefix| !prefix.is_empty()))
            .set_object_size_greater_than(size(and, "object_size_greater_than"))
            .set_object_size_less_than(size(and, "object_size_less_than"))
            .set_tags(tags(and));
        return Some(built.and(all.build()).build());
    }
    let tag = filter
        .block("tag")
        .and_then(|tag| types::Tag::builder().set_key(tag.text("key")).set_value(tag.text("value")).build().ok());
    let (more, less) = (size(filter, "object_size_greater_than"), size(filter, "object_size_less_than"));
    let is_empty = tag.is_none() && more.is_none() && less.is_none();
    let prefix = filter.text("prefix").filter(|prefix| !prefix.is_empty()).or(is_empty.then(String::new));
    let built = built.set_prefix(prefix).set_tag(tag);
    Some(built.set_object_size_greater_than(more).set_object_size_less_than(less).build())
}

fn tags(and: Fields<'_>) -> Option<Vec<types::Tag>> {
    let tags = and.0.get("tags").and_then(Value::entries).into_iter().flat_map(Entries::iter);
    let tags: Vec<_> = tags
        .filter_map(|(key, value)| {
            types::Tag::builder().key(&**key).set_value(value.as_str().map(str::to_owned)).build().ok()
        })
        .collect();
    (!tags.is_empty()).then_some(tags)
}

fn expiration(block: Fields<'_>) -> types::LifecycleExpiration {
    types::LifecycleExpiration::builder()
        .set_date(block.str("date").and_then(date))
        .set_days(positive(block, "days"))
        .set_expired_object_delete_marker(block.flag("expired_object_delete_marker").filter(|on| *on))
        .build()
}

fn transition(block: Fields<'_>) -> types::Transition {
    let date = block.str("date").and_then(date);
    // Without a day it is at once.
    let days = block.whole("days").or(date.is_none().then_some(0));
    types::Transition::builder().set_date(date).set_days(days).set_storage_class(block.word("storage_class")).build()
}

fn old_transition(block: Fields<'_>) -> types::NoncurrentVersionTransition {
    types::NoncurrentVersionTransition::builder()
        .set_noncurrent_days(block.whole("noncurrent_days").or(Some(0)))
        .set_newer_noncurrent_versions(positive(block, "newer_noncurrent_versions"))
        .set_storage_class(block.word("storage_class"))
        .build()
}

fn date(given: &str) -> Option<DateTime> {
    DateTime::from_str(given, Format::DateTime).ok()
}

/// 0 is what it is where it is left out.
fn positive(block: Fields<'_>, name: &str) -> Option<i32> {
    block.whole(name).filter(|number| *number > 0)
}

fn size(block: Fields<'_>, name: &str) -> Option<i64> {
    block.0.get(name)?.as_number()?.as_i64().filter(|bytes| *bytes > 0)
}

/// The block of a rule of S3's.
pub(super) fn to_value(rule: &types::LifecycleRule) -> Value {
    let blocks = |blocks: Vec<Value>| Value::tuple(blocks);
    let day = |date: Option<&DateTime>| text(date.and_then(|date| date.fmt(Format::DateTime).ok()).as_deref());
    let expiration = rule.expiration().map(|found| {
        Value::object([
            ("date", day(found.date())),
            ("days", whole(found.days().filter(|days| *days > 0))),
            ("expired_object_delete_marker", flag(found.expired_object_delete_marker().filter(|on| *on))),
        ])
    });
    let transitions = rule.transitions().iter().map(|found| {
        Value::object([
            ("date", day(found.date())),
            ("days", whole(found.days())),
            ("storage_class", text(found.storage_class().map(types::TransitionStorageClass::as_str))),
        ])
    });
    let old_transitions = rule.noncurrent_version_transitions().iter().map(|found| {
        Value::object([
            ("newer_noncurrent_versions", whole(found.newer_noncurrent_versions())),
            ("noncurrent_days", whole(found.noncurrent_days())),
            ("storage_class", text(found.storage_class().map(types::TransitionStorageClass::as_str))),
        ])
    });
    let old_expiration = rule.noncurrent_version_expiration().map(|found| {
        Value::object([
            ("newer_noncurrent_versions", whole(found.newer_noncurrent_versions())),
            ("noncurrent_days", whole(found.noncurrent_days())),
        ])
    });
    let abort = rule
        .abort_incomplete_multipart_upload()
        .map(|found| Value::object([("days_after_initiation", whole(found.days_after_initiation()))]));
    Value::object([
        ("id", text(rule.id())),
        ("status", text(Some(rule.status().as_str()))),
        ("prefix", prefix(rule)),
        ("filter", blocks(rule.filter().map(filter_to_value).into_iter().collect())),
        ("expiration", blocks(expiration.into_iter().collect())),
        ("transition", blocks(transitions.collect())),
        (OLD_EXPIRATION, blocks(old_expiration.into_iter().collect())),
        (OLD_TRANSITION, blocks(old_transitions.collect())),
        (ABORT, blocks(abort.into_iter().collect())),
    ])
}

#[expect(deprecated, reason = "buckets with older rules have it still")]
fn prefix(rule: &types::LifecycleRule) -> Value {
    text(rule.prefix())
}

fn filter_to_value(filter: &types::LifecycleRuleFilter) -> Value {
    let bytes = |bytes: Option<i64>| bytes.map_or(Value::Null(Type::Number), Value::from);
    let and = filter.and().map(|and| {
        let tags = and.tags().iter().map(|tag| (tag.key().into(), Value::from(tag.value())));
        let tags = if and.tags().is_empty() {
            Value::Null(Type::map(Type::String))
        } else {
            Value::map(Type::String, tags.collect())
        };
        Value::object([
            ("object_size_greater_than", bytes(and.object_size_greater_than())),
            ("object_size_less_than", bytes(and.object_size_less_than())),
            ("prefix", text(and.prefix())),
            ("tags", tags),
        ])
    });
    let tag = filter.tag().map(|tag| Value::object([("key", Value::from(tag.key())), ("value", tag.value().into())]));
    Value::object([
        ("object_size_greater_than", bytes(filter.object_size_greater_than())),
        ("object_size_less_than", bytes(filter.object_size_less_than())),
        ("prefix", text(filter.prefix())),
        ("and", Value::tuple(and.into_iter().collect())),
        ("tag", Value::tuple(tag.into_iter().collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(parts: Vec<(&str, Value)>) -> Value {
        let rule = [("id", Value::from("a")), ("status", "Enabled".into())].into_iter().chain(parts);
        Value::tuple(vec![Value::object(rule)])
    }

    fn block(parts: Vec<(&str, Value)>) -> Value {
        Value::tuple(vec![Value::object(parts)])
    }

    #[test]
    fn what_is_left_out_is_what_s3_takes_it_for() {
        let bare = of_value(&rules(vec![("expiration", block(vec![("days", Value::from(7))]))]));
        let spelled = of_value(&rules(vec![
            ("prefix", Value::NULL),
            ("filter", block(vec![("prefix", "".into())])),
            ("expiration", block(vec![("days", Value::from(7)), ("expired_object_delete_marker", false.into())])),
        ]));
        assert_eq!(bare, spelled);
        let other = of_value(&rules(vec![
            ("filter", block(vec![("prefix", "logs/".into())])),
            ("expiration", block(vec![("days", Value::from(7))])),
        ]));
        assert_ne!(bare, other);
    }

    #[test]
    fn a_rule_goes_to_s3_and_back() {
        let and = block(vec![("prefix", "x/".into()), ("object_size_less_than", Value::from(1 << 40))]);
        let given = rules(vec![
            ("filter", block(vec![("and", and)])),
            ("transition", block(vec![("date", "2027-01-31T00:00:00Z".into()), ("storage_class", "GLACIER".into())])),
            (OLD_TRANSITION, block(vec![("noncurrent_days", Value::from(3)), ("storage_class", "GLACIER".into())])),
            (OLD_EXPIRATION, block(vec![("noncurrent_days", Value::from(9))])),
            (ABORT, block(vec![("days_after_initiation", Value::from(1))])),
        ]);
        let there = of_value(&given);
        let back = Value::tuple(there.iter().map(to_value).collect());
        assert_eq!(of_value(&back), there);
        assert!(mistake(Fields(&given.elements().expect("a rule")[0])).is_none());
        let wrong = rules(vec![("expiration", block(vec![("date", "tomorrow".into())]))]);
        assert!(mistake(Fields(&wrong.elements().expect("a rule")[0])).is_some_and(|why| why.contains("`tomorrow`")));
    }
}
