//! What data sources that look objects up have in common: filters, and that one object is meant.

use aws_sdk_ec2::types::Filter;
use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use super::filter;
use crate::client::fault::Fault;
use crate::fields::Fields;
use crate::tags;

/// A block with `filter` blocks and the `tags` that objects must carry.
pub(super) fn searchable(mut block: Block, description: &str) -> Block {
    let tags = Attribute::optional(Type::map(Type::String)).describe("Tags that objects carry, all of them.");
    block.attributes.entry("tags".into()).or_insert(tags);
    filterable(block, description)
}

/// A block with `filter` blocks.
pub(super) fn filterable(block: Block, description: &str) -> Block {
    let wanted = Block::new([
        ("name", Attribute::required(Type::String).describe("What EC2 calls the property.")),
        ("values", Attribute::required(Type::set(Type::String)).describe("Its values, one of which must be.")),
    ]);
    Block { description: description.into(), ..block }.with_block("filter", Nesting::Set, wanted)
}

/// What the `filter` blocks and `tags` of a configuration ask for.
pub(super) fn filters(config: Fields<'_>) -> Vec<Filter> {
    let blocks = config.blocks("filter");
    let blocks = blocks.map(|wanted| filter(wanted.str("name").unwrap_or_default(), wanted.texts("values")));
    let tags = tags::entries(config.0.get("tags").unwrap_or(&Value::NULL));
    let tags = tags.into_iter().map(|(key, value)| filter(&format!("tag:{key}"), [value]));
    blocks.chain(tags).collect()
}

/// The filters for attributes that are set, by the names that EC2 gives them.
pub(super) fn by_attributes(config: Fields<'_>, names: &[(&str, &str)]) -> Vec<Filter> {
    let set = names.iter().filter_map(|(attribute, name)| Some((*name, config.text(attribute)?)));
    set.map(|(name, value)| filter(name, [value])).collect()
}

/// EC2 takes no empty list of filters.
pub(super) fn some(filters: &[Filter]) -> Option<Vec<Filter>> {
    (!filters.is_empty()).then(|| filters.to_vec())
}

/// The one object that is meant.
///
/// # Errors
/// There is none, or more than one.
pub(super) fn one<T>(what: &str, mut found: Vec<T>) -> Result<T, Fault> {
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => Err(Fault::own("no match", format!("no {what} is as the data source asks"))),
        (Some(_), more) => {
            Err(Fault::own("many match", format!("{} {what}s are as the data source asks, not one", more + 1)))
        }
    }
}
